// IntervalSet: a set of uint64_t stored as intervals. Memory grows with the number of gaps instead of members, which
// suits sequence numbers. A high-water mark is not enough, because a batch that is sent again can arrive after later
// ones. Thread-compatible.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace monitor {

class IntervalSet {
 public:
  // Adds [first, last]; empty if last < first. Returns true if any member is new.
  bool add(uint64_t first, uint64_t last);
  bool add(uint64_t value) { return add(value, value); }
  void add(const IntervalSet& other);
  void remove(uint64_t first, uint64_t last);
  // Returns false if `value` was not a member.
  bool remove(uint64_t value);
  void remove(const IntervalSet& other);

  bool contains(uint64_t value) const { return intersects(value, value); }
  // True if any of [first, last] is a member.
  bool intersects(uint64_t first, uint64_t last) const;
  bool intersects(const IntervalSet& other) const;
  // The members in [first, last].
  IntervalSet within(uint64_t first, uint64_t last) const;
  IntervalSet intersection(const IntervalSet& other) const;
  // The parts of [first, last] without a member, in ascending order; empty if last < first.
  std::vector<std::pair<uint64_t, uint64_t>> gaps(uint64_t first, uint64_t last) const;

  bool empty() const { return intervals_.empty(); }
  // Number of members, modulo 2^64.
  uint64_t count() const { return count_; }
  // Smallest and largest member; 0 if empty.
  uint64_t first() const { return intervals_.empty() ? 0 : intervals_.begin()->first; }
  uint64_t last() const { return intervals_.empty() ? 0 : intervals_.rbegin()->second; }
  // First member of each interval -> last member, in ascending order. Intervals never overlap or touch.
  const std::map<uint64_t, uint64_t>& intervals() const { return intervals_; }
  bool operator==(const IntervalSet& other) const { return intervals_ == other.intervals_; }

  // Appends (gap, length) pairs of varints. decode() returns nothing if `bytes` is malformed.
  void encode(std::string& out) const;
  static std::optional<IntervalSet> decode(std::string_view bytes);

 private:
  std::map<uint64_t, uint64_t> intervals_;
  uint64_t count_ = 0;
};

}  // namespace monitor
