#include "views/ledger/point_sums.h"

#include <algorithm>
#include <iterator>

namespace monitor::analysis {

void PointSums::add(uint64_t sequence, uint64_t through, uint64_t points) {
  const auto next = parts_.upper_bound(sequence);
  auto own = next == parts_.begin() ? parts_.end() : std::prev(next);
  if (own != parts_.end() && own->second.last >= sequence) return;
  if (own != parts_.end() && own->second.last + 1 == sequence) {
    own->second.last = sequence;
    own->second.through = through;
  } else {
    own = parts_.emplace_hint(next, sequence, Part{sequence, through - std::min(through, points), through});
  }
  if (next == parts_.end() || sequence == UINT64_MAX || next->first != sequence + 1) return;
  own->second.last = next->second.last;
  own->second.through = next->second.through;
  parts_.erase(next);
}

std::optional<uint64_t> PointSums::of_gap(uint64_t first, uint64_t last) const {
  if (first == 0 || last < first || last == UINT64_MAX) return std::nullopt;
  const auto after = parts_.find(last + 1);
  if (after == parts_.end()) return std::nullopt;
  uint64_t before = 0;
  if (first > 1) {
    if (after == parts_.begin() || std::prev(after)->second.last + 1 != first) return std::nullopt;
    before = std::prev(after)->second.through;
  }
  return after->second.before - std::min(after->second.before, before);
}

void PointSums::restore(uint64_t first, const Part& part) {
  const bool beyond =
      parts_.empty() || (parts_.rbegin()->second.last < first && parts_.rbegin()->second.last + 1 < first);
  if (first > 0 && part.last >= first && beyond) parts_.emplace_hint(parts_.end(), first, part);
}

}  // namespace monitor::analysis
