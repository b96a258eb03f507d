// ClockSkew: how far an agent's clock is ahead of the log's, from the times of its batches. A batch is closed, sent and
// stored in that order; so the difference of its two times is the skew plus the time on the way. The shortest way of
// the last minute hardly counts: what remains is the skew, too low by a few milliseconds.
//
// Not thread-safe. Bounded.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace monitor::analysis {

class ClockSkew {
 public:
  // `closed_ns`: when the agent closed the batch, by its clock. `stored_ns`: by the log's clock. Only of batches that
  // did not wait at the agent.
  void note(int64_t closed_ns, int64_t stored_ns) {
    const int64_t half = stored_ns / kHalf;
    if (half != half_) {
      ahead_[1] = half == half_ + 1 ? ahead_[0] : std::nullopt;
      ahead_[0].reset();
      half_ = half;
    }
    const int64_t ahead = elapsed_ns(stored_ns, closed_ns);
    ahead_[0] = std::max(ahead_[0].value_or(ahead), ahead);
  }

  // Positive: the agent's clock is ahead. Nothing: unknown.
  std::optional<int64_t> ahead_ns() const {
    if (!ahead_[0] || !ahead_[1]) return ahead_[0];
    return std::max(*ahead_[0], *ahead_[1]);
  }

 private:
  static constexpr int64_t kHalf = 30 * kNanosPerSecond;
  std::array<std::optional<int64_t>, 2> ahead_;  // the highest of this half minute, and of the one before
  int64_t half_ = 0;
};

}  // namespace monitor::analysis
