// PointSums: how many points the batches of an incarnation have together. A stored batch tells how many points were
// made until it was closed, and how many of them were dropped before they were in a batch: the rest is in the batches
// up to it. So the points of batches that are not stored are known exactly as soon as a later batch is stored.
//
// Not thread-safe. Its size grows with the number of gaps between stored batches.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

namespace monitor::analysis {

class PointSums {
 public:
  // A range of stored batches.
  struct Part {
    uint64_t last = 0;     // sequence
    uint64_t before = 0;   // points of all batches below the range
    uint64_t through = 0;  // points of all batches up to its end
  };

  // Adds a stored batch with `points` points. `through`: the points of all batches up to it, as it tells. A batch that
  // is known already changes nothing.
  void add(uint64_t sequence, uint64_t through, uint64_t points);
  // The points of the batches of a whole gap. Nothing if a neighbour of the gap is not known.
  std::optional<uint64_t> of_gap(uint64_t first, uint64_t last) const;

  // By the first sequence.
  const std::map<uint64_t, Part>& parts() const { return parts_; }
  // From a snapshot: ignored unless it is a range beyond all known ones.
  void restore(uint64_t first, const Part& part);

 private:
  std::map<uint64_t, Part> parts_;
};

}  // namespace monitor::analysis
