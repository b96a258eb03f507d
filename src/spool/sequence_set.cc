#include "spool/sequence_set.h"

#include <algorithm>
#include <iterator>

namespace monitor::agent {

void SequenceSet::add(uint64_t first, uint64_t last) {
  if (last < first) return;
  auto it = ranges_.upper_bound(first);
  if (it != ranges_.begin()) {
    const auto before = std::prev(it);
    if (before->second >= last) return;
    if (first == 0 || before->second >= first - 1) it = before;  // touching ranges become one
  }
  while (it != ranges_.end() && (last == UINT64_MAX || it->first <= last + 1)) {
    first = std::min(first, it->first);
    last = std::max(last, it->second);
    count_ -= it->second - it->first + 1;
    it = ranges_.erase(it);
  }
  ranges_.emplace_hint(it, first, last);
  count_ += last - first + 1;
}

bool SequenceSet::remove(uint64_t sequence) {
  if (!contains(sequence)) return false;
  remove(sequence, sequence);
  return true;
}

void SequenceSet::remove(uint64_t first, uint64_t last) {
  if (last < first) return;
  auto it = ranges_.upper_bound(first);
  if (it != ranges_.begin() && std::prev(it)->second >= first) --it;
  while (it != ranges_.end() && it->first <= last) {
    const auto [begin, end] = *it;
    count_ -= end - begin + 1;
    it = ranges_.erase(it);
    if (begin < first) {
      ranges_.emplace_hint(it, begin, first - 1);
      count_ += first - begin;
    }
    if (end > last) {
      ranges_.emplace_hint(it, last + 1, end);
      count_ += end - last;
    }
  }
}

bool SequenceSet::contains(uint64_t sequence) const { return intersects(sequence, sequence); }

bool SequenceSet::intersects(uint64_t first, uint64_t last) const {
  const auto after = ranges_.upper_bound(last);
  return after != ranges_.begin() && std::prev(after)->second >= first;
}

SequenceSet SequenceSet::within(uint64_t first, uint64_t last) const {
  SequenceSet result;
  auto it = ranges_.upper_bound(first);
  if (it != ranges_.begin()) --it;
  for (; it != ranges_.end() && it->first <= last; ++it) {
    result.add(std::max(first, it->first), std::min(last, it->second));
  }
  return result;
}

void SequenceSet::add(const SequenceSet& other) {
  for (const auto& [first, last] : other.ranges_) add(first, last);
}

void SequenceSet::remove(const SequenceSet& other) {
  for (const auto& [first, last] : other.ranges_) remove(first, last);
}

bool SequenceSet::intersects(const SequenceSet& other) const {
  return std::any_of(other.ranges_.begin(), other.ranges_.end(),
                     [this](const auto& range) { return intersects(range.first, range.second); });
}

SequenceSet SequenceSet::intersection(const SequenceSet& other) const {
  SequenceSet result;
  for (const auto& [first, last] : other.ranges_) result.add(within(first, last));
  return result;
}

}  // namespace monitor::agent
