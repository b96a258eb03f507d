#include "views/ledger/dropped_ranges.h"

#include <algorithm>
#include <iterator>

#include "base/saturating.h"

namespace monitor::analysis {

uint64_t share(uint64_t value, uint64_t part, uint64_t whole) {
  if (part >= whole) return whole == 0 ? 0 : value;
  return static_cast<uint64_t>(static_cast<unsigned __int128>(value) * part / whole);
}

DroppedRanges::Added DroppedRanges::add(DroppedRange range) {
  if (range.first == 0 || range.last < range.first) return {};
  range.batches = std::min(range.batches, range_size(range.first, range.last));
  const auto unknown = sequences_.gaps(range.first, range.last);
  if (unknown.empty()) return {};
  Added added;
  if (Added known; replaces(range, known)) {
    ranges_.erase(ranges_.lower_bound(range.first), ranges_.upper_bound(range.last));
    added = {range.batches - std::min(known.batches, range.batches),
             range.points - std::min(known.points, range.points)};
    sequences_.add(range.first, range.last);
    const uint64_t first = range.first;
    ranges_.emplace(first, std::move(range));
    return added;
  }
  // It overlaps with a different report: only the share that is new counts.
  for (const auto& [first, last] : unknown) insert_part(range, first, last, added);
  return added;
}

// True if the range contains all ranges that it touches, with the same stage and reason: then it is the same drop,
// which has grown.
bool DroppedRanges::replaces(const DroppedRange& range, Added& known) const {
  auto it = ranges_.lower_bound(range.first);
  if (it != ranges_.begin() && std::prev(it)->second.last >= range.first) return false;
  for (; it != ranges_.end() && it->first <= range.last; ++it) {
    const DroppedRange& other = it->second;
    if (other.last > range.last || other.stage != range.stage || other.reason != range.reason) return false;
    add_saturating(known.batches, other.batches);
    add_saturating(known.points, other.points);
  }
  return true;
}

void DroppedRanges::insert_part(const DroppedRange& range, uint64_t first, uint64_t last, Added& added) {
  const uint64_t width = range.last - range.first;  // one less than the number of sequences, so that all 2^64 fit
  const uint64_t part = last - first;
  DroppedRange piece = range;
  piece.first = first;
  piece.last = last;
  piece.batches = part == UINT64_MAX ? range.batches : std::min(range.batches, part + 1);
  piece.points = width == UINT64_MAX ? range.points : share(range.points, part + 1, width + 1);
  add_saturating(added.batches, piece.batches);
  add_saturating(added.points, piece.points);
  sequences_.add(first, last);
  ranges_.emplace(first, std::move(piece));
}

std::map<std::pair<std::string, std::string>, DroppedRanges::Added> DroppedRanges::totals(
    const IntervalSet& stored) const {
  std::map<std::pair<std::string, std::string>, Added> result;
  for (const auto& [begin, range] : ranges_) {
    uint64_t gone = 0;
    for (const auto& [first, last] : stored.gaps(range.first, range.last))
      add_saturating(gone, range_size(first, last));
    const uint64_t batches = std::min(range.batches, gone);
    if (gone == 0) continue;
    Added& total = result[{range.stage, range.reason}];
    add_saturating(total.batches, batches);
    add_saturating(total.points, share(range.points, batches, range.batches));
  }
  return result;
}

}  // namespace monitor::analysis
