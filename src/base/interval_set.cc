#include "base/interval_set.h"

#include <algorithm>
#include <iterator>

#include "base/protowire.h"

namespace monitor {

bool IntervalSet::add(uint64_t first, uint64_t last) {
  if (last < first) return false;
  auto it = intervals_.upper_bound(first);
  if (it != intervals_.begin()) {
    const auto before = std::prev(it);
    if (before->second >= last) return false;
    // Sequences mostly come one after the other: the interval grows where it is.
    const bool touches_next = it != intervals_.end() && (last == UINT64_MAX || it->first <= last + 1);
    if (before->second >= first - 1 && !touches_next) {
      count_ += last - before->second;
      before->second = last;
      return true;
    }
    if (first == 0 || before->second >= first - 1) it = before;  // touching intervals merge
  }
  while (it != intervals_.end() && (last == UINT64_MAX || it->first <= last + 1)) {
    first = std::min(first, it->first);
    last = std::max(last, it->second);
    count_ -= it->second - it->first + 1;
    it = intervals_.erase(it);
  }
  intervals_.emplace_hint(it, first, last);
  count_ += last - first + 1;
  return true;
}

bool IntervalSet::remove(uint64_t value) {
  if (!contains(value)) return false;
  remove(value, value);
  return true;
}

void IntervalSet::remove(uint64_t first, uint64_t last) {
  if (last < first) return;
  auto it = intervals_.upper_bound(first);
  if (it != intervals_.begin() && std::prev(it)->second >= first) --it;
  while (it != intervals_.end() && it->first <= last) {
    const auto [begin, end] = *it;
    count_ -= end - begin + 1;
    it = intervals_.erase(it);
    if (begin < first) {
      intervals_.emplace_hint(it, begin, first - 1);
      count_ += first - begin;
    }
    if (end > last) {
      intervals_.emplace_hint(it, last + 1, end);
      count_ += end - last;
    }
  }
}

bool IntervalSet::intersects(uint64_t first, uint64_t last) const {
  const auto after = intervals_.upper_bound(last);
  return after != intervals_.begin() && std::prev(after)->second >= first;
}

IntervalSet IntervalSet::within(uint64_t first, uint64_t last) const {
  IntervalSet result;
  auto it = intervals_.upper_bound(first);
  if (it != intervals_.begin()) --it;
  for (; it != intervals_.end() && it->first <= last; ++it) {
    result.add(std::max(first, it->first), std::min(last, it->second));
  }
  return result;
}

void IntervalSet::add(const IntervalSet& other) {
  for (const auto& [first, last] : other.intervals_) add(first, last);
}

void IntervalSet::remove(const IntervalSet& other) {
  for (const auto& [first, last] : other.intervals_) remove(first, last);
}

bool IntervalSet::intersects(const IntervalSet& other) const {
  return std::any_of(other.intervals_.begin(), other.intervals_.end(),
                     [this](const auto& range) { return intersects(range.first, range.second); });
}

IntervalSet IntervalSet::intersection(const IntervalSet& other) const {
  IntervalSet result;
  for (const auto& [first, last] : other.intervals_) result.add(within(first, last));
  return result;
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

}  // namespace monitor
