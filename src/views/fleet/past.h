// Past: the last five minutes of an agent's main figures in steps of 5 s, for sparklines. It decides which steps are
// gaps, so that everything that draws them draws the same line.
//
// A series may be collected less often than once per step. Steps between two of its values are interpolated, unless a
// value is missing in between: then the distance is clearly longer than both the one before and the one after. Steps
// after the newest value hold that value until the next one is overdue.
//
// Not thread-safe. Bounded: kSteps steps of each figure.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>

#include "base/clock.h"

namespace monitor::analysis {

// The main figures in display order: CPU, memory, disk read and write, net in and out.
inline constexpr size_t kFigures = 6;
using Figures = std::array<std::optional<double>, kFigures>;

class Past {
 public:
  static constexpr int64_t kStep = 5 * kNanosPerSecond;
  static constexpr size_t kSteps = 60;

  // Adds the figures of a tick. `change` must rise from call to call. `width_ns`: the values are averages over this
  // much time; 0 for ticks. A time before the last one means that the clock was set back, and the line continues.
  void note(int64_t time_ns, const Figures& figures, uint64_t change, int64_t width_ns = 0);

  // Start of the last step; 0: there is none.
  int64_t end_ns() const { return end_ns_; }
  // Averages per step, the newest last; NaN: a gap.
  const std::deque<float>& steps(size_t figure) const { return lines_[figure].steps; }
  // How many of the last steps contain everything that changed after `change`.
  size_t changed_after(uint64_t change) const;

 private:
  // Two successive values with steps between them.
  struct Link {
    int64_t from_ns = 0;  // start of the two steps
    int64_t to_ns = 0;
    float before = 0;
    float after = 0;
  };
  struct Line {
    std::deque<float> steps;
    double sum = 0;  // within the last step
    uint32_t count = 0;
    float last = 0;           // the newest value
    int64_t last_ns = 0;      // its time; 0: there is none
    int64_t distance_ns = 0;  // to the previous value; 0: unknown
    std::optional<Link> gap;  // between the two newest values
  };

  void advance(int64_t begin_ns, uint64_t change);
  void take(Line& line, int64_t time_ns, double value, int64_t width_ns, uint64_t change);
  void fill(Line& line, const Link& link, bool joined, uint64_t change);

  std::array<Line, kFigures> lines_;
  std::deque<uint64_t> changes_;  // per step: its last change
  int64_t end_ns_ = 0;
};

}  // namespace monitor::analysis
