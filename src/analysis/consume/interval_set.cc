#include "analysis/consume/interval_set.h"

#include <algorithm>
#include <iterator>

namespace monitor::analysis {

bool IntervalSet::contains(uint64_t value) const {
  const auto after = intervals_.upper_bound(value);
  return after != intervals_.begin() && std::prev(after)->second >= value;
}

bool IntervalSet::add(uint64_t first, uint64_t last) {
  auto it = intervals_.upper_bound(first);
  if (it != intervals_.begin()) {
    const auto before = std::prev(it);
    if (before->second >= last) return false;
    // Touching intervals become one.
    if (first == 0 || before->second >= first - 1) {
      first = before->first;
      it = before;
    }
  }
  while (it != intervals_.end() && (it->first <= last || it->first - 1 == last)) {
    last = std::max(last, it->second);
    it = intervals_.erase(it);
  }
  intervals_.emplace_hint(it, first, last);
  return true;
}

}  // namespace monitor::analysis
