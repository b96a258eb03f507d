// SequenceSet: a set of sequences, stored as ranges: small while they are mostly contiguous.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>

namespace monitor::agent {

class SequenceSet {
 public:
  void add(uint64_t sequence) { add(sequence, sequence); }
  // [first, last]; nothing when last < first.
  void add(uint64_t first, uint64_t last);
  void add(const SequenceSet& other);
  // False when it was not in the set.
  bool remove(uint64_t sequence);
  void remove(uint64_t first, uint64_t last);
  void remove(const SequenceSet& other);

  bool contains(uint64_t sequence) const;
  // Whether the set contains any of [first, last].
  bool intersects(uint64_t first, uint64_t last) const;
  // The part of it in [first, last].
  SequenceSet within(uint64_t first, uint64_t last) const;
  bool intersects(const SequenceSet& other) const;
  SequenceSet intersection(const SequenceSet& other) const;

  bool empty() const { return ranges_.empty(); }
  uint64_t count() const { return count_; }
  // 0 when empty.
  uint64_t first() const { return ranges_.empty() ? 0 : ranges_.begin()->first; }
  uint64_t last() const { return ranges_.empty() ? 0 : ranges_.rbegin()->second; }
  // The first of each range, with its last; ascending, never adjacent.
  const std::map<uint64_t, uint64_t>& ranges() const { return ranges_; }
  bool operator==(const SequenceSet& other) const { return ranges_ == other.ranges_; }

 private:
  std::map<uint64_t, uint64_t> ranges_;
  uint64_t count_ = 0;
};

}  // namespace monitor::agent
