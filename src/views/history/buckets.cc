#include "views/history/buckets.h"

#include <algorithm>

namespace monitor::analysis::history {

namespace {

void add_to(std::vector<IndexedCell>& cells, const Buckets::Values& values) {
  size_t at = 0;
  for (const auto& [index, value] : values) {
    // Points usually come in the same order, so the next cell is tried first.
    if (at >= cells.size() || cells[at].index != index) {
      const auto found = std::lower_bound(cells.begin(), cells.end(), index,
                                          [](const IndexedCell& cell, uint32_t wanted) { return cell.index < wanted; });
      at = static_cast<size_t>(found - cells.begin());
      if (found == cells.end() || found->index != index) cells.insert(found, IndexedCell{.index = index, .cell = {}});
    }
    cells[at].cell.add(value);
    ++at;
  }
}

}  // namespace

Status Buckets::add(int64_t time_ns, const Values& values, BucketRows& rows) {
  for (size_t i = 0; i < kReduced.size(); ++i) {
    const int64_t width = width_ns(kReduced[i]);
    auto bucket = find(width, open_[i], bucket_of(time_ns, width), rows);
    if (!bucket) return bucket.error();
    add_to((*bucket)->cells, values);
    (*bucket)->dirty = true;
  }
  return {};
}

Result<Buckets::Bucket*> Buckets::find(int64_t width, Pair& pair, int64_t begin, BucketRows& rows) {
  for (Bucket& bucket : pair) {
    if (!bucket.used || bucket.begin != begin) continue;
    bucket.turn = ++turn_;
    return &bucket;
  }
  Bucket& oldest = pair[0].turn <= pair[1].turn ? pair[0] : pair[1];
  if (auto status = write_one(width, oldest, rows); !status) return status.error();
  const auto bytes = rows.read(width, agent_, begin);
  if (!bytes) return bytes.error();
  oldest.cells.clear();
  CellReader reader(*bytes);
  while (const auto cell = reader.next()) oldest.cells.push_back(*cell);
  oldest.begin = begin;
  oldest.used = true;
  oldest.turn = ++turn_;
  return &oldest;
}

Status Buckets::write_one(int64_t width, Bucket& bucket, BucketRows& rows) const {
  if (!bucket.dirty) return {};
  std::string bytes;
  CellWriter writer(bytes);
  for (const auto& [index, cell] : bucket.cells) {
    if (cell.count > 0) writer.add(index, cell);
  }
  bucket.dirty = false;
  return rows.write(width, agent_, bucket.begin, bytes);
}

Status Buckets::write(BucketRows& rows) {
  for (size_t i = 0; i < kReduced.size(); ++i) {
    for (Bucket& bucket : open_[i]) {
      if (auto status = write_one(width_ns(kReduced[i]), bucket, rows); !status) return status;
    }
  }
  return {};
}

}  // namespace monitor::analysis::history
