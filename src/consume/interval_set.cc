#include "consume/interval_set.h"

#include <algorithm>
#include <iterator>

#include "base/protowire.h"

namespace monitor::analysis {

bool IntervalSet::contains(uint64_t value) const {
  const auto after = intervals_.upper_bound(value);
  return after != intervals_.begin() && std::prev(after)->second >= value;
}

std::vector<std::pair<uint64_t, uint64_t>> IntervalSet::gaps(uint64_t first, uint64_t last) const {
  std::vector<std::pair<uint64_t, uint64_t>> result;
  auto it = intervals_.upper_bound(first);
  if (it != intervals_.begin() && std::prev(it)->second >= first) --it;
  for (; first <= last && it != intervals_.end() && it->first <= last; ++it) {
    if (first < it->first) result.emplace_back(first, it->first - 1);
    if (it->second >= last) return result;
    first = it->second + 1;
  }
  if (first <= last) result.emplace_back(first, last);
  return result;
}

void IntervalSet::encode(std::string& out) const {
  uint64_t end = 0;
  for (const auto& [first, last] : intervals_) {
    protowire::put_varint(out, first - end);
    protowire::put_varint(out, last - first);
    end = last;
  }
}

std::optional<IntervalSet> IntervalSet::decode(std::string_view bytes) {
  IntervalSet set;
  protowire::Reader packed(bytes);
  uint64_t end = 0;
  while (const auto gap = packed.varint()) {
    const auto length = packed.varint();
    if (!length || *gap > UINT64_MAX - end || *length > UINT64_MAX - end - *gap) return std::nullopt;
    set.add(end + *gap, end + *gap + *length);
    end += *gap + *length;
  }
  if (packed.failed()) return std::nullopt;
  return set;
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
