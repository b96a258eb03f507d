// A set of sequence numbers, kept as the intervals that they form: small as long as few are missing.
// A high-water mark would not do: a batch that was sent again can land behind later ones. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace monitor::analysis {

class IntervalSet {
 public:
  // True when it was not there yet.
  bool add(uint64_t value) { return add(value, value); }
  // Adds [first, last]; true when any of it was not there yet.
  bool add(uint64_t first, uint64_t last);
  bool contains(uint64_t value) const;
  // What of [first, last] is not there; rising. Nothing when last < first.
  std::vector<std::pair<uint64_t, uint64_t>> gaps(uint64_t first, uint64_t last) const;

  // As (gap, length) pairs of varints. decode(): nothing when malformed.
  void encode(std::string& out) const;
  static std::optional<IntervalSet> decode(std::string_view bytes);

  // First of each interval, with its last; rising, never touching one another.
  const std::map<uint64_t, uint64_t>& intervals() const { return intervals_; }
  bool operator==(const IntervalSet&) const = default;

 private:
  std::map<uint64_t, uint64_t> intervals_;
};

}  // namespace monitor::analysis
