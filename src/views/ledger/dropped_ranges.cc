#include "views/ledger/dropped_ranges.h"

#include <algorithm>
#include <iterator>

#include "base/saturating.h"

namespace monitor::analysis {

uint64_t share(uint64_t value, uint64_t part, uint64_t whole) {
  if (part >= whole) return whole == 0 ? 0 : value;
  return static_cast<uint64_t>(static_cast<unsigned __int128>(value) * part / whole);
}

DroppedRanges::Added DroppedRanges::add(metrics::Drop range) {
  if (range.first_sequence == 0 || range.last_sequence < range.first_sequence) return {};
  range.incarnation = {};  // that of the account
  // There may be fewer batches than sequences, because an agent with very many drops reports them as one.
  range.batches = std::min(range.batches, range_size(range.first_sequence, range.last_sequence));
  const auto unknown = sequences_.gaps(range.first_sequence, range.last_sequence);
  if (unknown.empty()) return {};
  Added added;
  if (Added known; replaces(range, known)) {
    ranges_.erase(ranges_.lower_bound(range.first_sequence), ranges_.upper_bound(range.last_sequence));
    added = {range.batches - std::min(known.batches, range.batches),
             range.points - std::min(known.points, range.points)};
    sequences_.add(range.first_sequence, range.last_sequence);
    const uint64_t first = range.first_sequence;
    ranges_.emplace(first, std::move(range));
    return added;
  }
  // It overlaps with a different report: only the share that is new counts.
  for (const auto& [first, last] : unknown) insert_part(range, first, last, added);
  return added;
}

// True if the range contains all ranges that it touches, with the same stage and reason: then it is the same drop,
// which has grown.
bool DroppedRanges::replaces(const metrics::Drop& range, Added& known) const {
  auto it = ranges_.lower_bound(range.first_sequence);
  if (it != ranges_.begin() && std::prev(it)->second.last_sequence >= range.first_sequence) return false;
  for (; it != ranges_.end() && it->first <= range.last_sequence; ++it) {
    const metrics::Drop& other = it->second;
    if (other.last_sequence > range.last_sequence || other.stage != range.stage || other.reason != range.reason)
      return false;
    add_saturating(known.batches, other.batches);
    add_saturating(known.points, other.points);
  }
  return true;
}

void DroppedRanges::insert_part(const metrics::Drop& range, uint64_t first, uint64_t last, Added& added) {
  const uint64_t width =
      range.last_sequence - range.first_sequence;  // one less than the number of sequences, so that all 2^64 fit
  const uint64_t part = last - first;
  metrics::Drop piece = range;
  piece.first_sequence = first;
  piece.last_sequence = last;
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
    for (const auto& [first, last] : stored.gaps(range.first_sequence, range.last_sequence))
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
