#include "views/history/block_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time_format.h"

namespace monitor::analysis::history {

namespace {

// Open ticks that are kept while a transaction lasts, for the next agent of the same group.
constexpr size_t kMostKeptBytes = size_t{64} << 20;
// With fewer series than this, each is looked up; with more, the block is read through.
constexpr size_t kFewSeries = 12;

}  // namespace

Status BlockReader::prepare() {
  if (prepared_) return {};
  const std::vector<std::pair<Statement*, const char*>> statements = {
      // A block's ticks are in the five minutes from begin_ns on.
      {&find_,
       "SELECT id, begin_ns FROM blocks WHERE agent = ?1 AND begin_ns >= ?2 AND begin_ns < ?3 ORDER BY begin_ns, part"},
      {&row_, "SELECT bytes FROM block_rows WHERE id = ?1"},
      {&rows_, "SELECT id, bytes FROM block_rows WHERE id >= ?1 AND id < ?2 ORDER BY id"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  prepared_ = true;
  return {};
}

Status BlockReader::damaged(const Found& block, const char* what) const {
  return Error(
      Code::kDataLoss,
      fmt::format("history {}: block {}, which begins at {}: {} damaged; the other blocks can be read, and this "
                  "one is deleted when it expires",
                  db_.path(), block.id, format_rfc3339(block.begin_ns, 0), what));
}

Status BlockReader::find(int64_t agent, const RangeBuilder& range) {
  const ResetLater reset(find_);
  find_.bind(1, agent);
  find_.bind(2, bucket_of(range.from_ns(), kBlockNs));
  find_.bind(3, range.to_ns());
  found_.clear();
  int rc = find_.step();
  for (; rc == SQLITE_ROW; rc = find_.step()) found_.push_back({.id = find_.integer(0), .begin_ns = find_.integer(1)});
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

Status BlockReader::read_blocks(int64_t agent, RangeBuilder& range) {
  if (auto status = prepare(); !status) return status;
  if (auto status = find(agent, range); !status) return status;
  wanted_.clear();
  for (uint32_t i = 0; i < range.columns().size(); ++i) {
    if (range.columns()[i]) wanted_.push_back(i);
  }
  for (const Found& block : found_) {
    const Status read = wanted_.size() <= kFewSeries ? read_wanted(block, range) : read_block(block, range);
    if (!read) return read;
  }
  return {};
}

// Looks up the times, and then each of the wanted series.
Status BlockReader::read_wanted(const Found& block, RangeBuilder& range) {
  const auto look_up = [this](int64_t row) {
    row_.bind(1, row);
    return row_.step();
  };
  {
    const ResetLater reset(row_);
    const int rc = look_up(times_row(block.id));
    if (rc != SQLITE_ROW)
      return rc == SQLITE_DONE ? damaged(block, "its times are missing or") : db_.error(rc, "reading");
    if (!decode_times(times_row(block.id), row_.bytes(0), times_)) return damaged(block, "its times are");
  }
  if (&block == &found_.front()) range.expect(found_.size() * times_.size());
  if (auto status = range.count_row(times_.size()); !status) return status;
  for (const uint32_t number : wanted_) {
    const ResetLater reset(row_);
    const int64_t row = values_row(block.id, number);
    const int rc = look_up(row);
    if (rc == SQLITE_DONE) continue;  // no value in these five minutes
    if (rc != SQLITE_ROW) return db_.error(rc, "reading");
    if (auto status = read_column(block, row, row_.bytes(0), range); !status) return status;
  }
  return {};
}

Status BlockReader::read_column(const Found& block, int64_t row, std::string_view bytes, RangeBuilder& range) {
  if (!decode_column(row, bytes, times_.size(), column_)) return damaged(block, "the values of a series are");
  range.add_values(static_cast<uint32_t>(row - values_row(block.id, 0)), times_, column_);
  return range.count_row(column_.values.size());
}

// Reads all rows of the block, and decodes those that are wanted.
Status BlockReader::read_block(const Found& block, RangeBuilder& range) {
  const ResetLater reset(rows_);
  rows_.bind(1, times_row(block.id));
  rows_.bind(2, times_row(block.id + 1));
  times_.clear();
  int rc = rows_.step();
  for (; rc == SQLITE_ROW; rc = rows_.step()) {
    const int64_t row = rows_.integer(0);
    if (row == times_row(block.id)) {
      if (!decode_times(row, rows_.bytes(1), times_)) return damaged(block, "its times are");
      if (auto status = range.count_row(times_.size()); !status) return status;
      continue;
    }
    const auto number = static_cast<size_t>(row - values_row(block.id, 0));
    if (number >= range.columns().size() || !range.columns()[number]) continue;
    if (auto status = read_column(block, row, rows_.bytes(1), range); !status) return status;
  }
  return rc == SQLITE_DONE ? Status() : db_.error(rc, "reading");
}

Result<std::span<const OpenTick>> BlockReader::open_ticks(int64_t agent) {
  const int64_t group = group_of(agent);
  auto found = groups_.find(group);
  if (found == groups_.end()) {
    auto rows = read_open_ticks(db_, group);
    if (!rows) return rows.error();
    if (rows->malformed > 0) {
      return Error(
          Code::kDataLoss,
          fmt::format("history {}: {} rows with the newest ticks of agents are damaged; they are replaced within "
                      "some minutes",
                      db_.path(), rows->malformed));
    }
    if (kept_bytes_ > kMostKeptBytes) forget();
    for (const std::string& bytes : rows->bytes) kept_bytes_ += bytes.size();
    std::ranges::stable_sort(rows->ticks, {}, [](const OpenTick& tick) { return std::pair(tick.agent, tick.time_ns); });
    found = groups_.emplace(group, std::move(*rows)).first;
  }
  const auto its = std::ranges::equal_range(found->second.ticks, agent, {}, &OpenTick::agent);
  return std::span<const OpenTick>(its.begin(), its.end());
}

}  // namespace monitor::analysis::history
