// Past: the last five minutes of an agent's main figures in steps of 5 s, for sparklines. It decides which of its steps
// are gaps, so that everything that draws it draws the same line.
//
// A series may be collected less often than once a step. The steps between two of its values lie on the line that joins
// them, unless a value was missed in between: the distance is then longer than that to the value before and to the one
// after. Steps since the newest value hold it until the next one is overdue.
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

// The main figures, in the order in which they are shown: CPU, memory, disk read and write, net in and out.
inline constexpr size_t kFigures = 6;
using Figures = std::array<std::optional<double>, kFigures>;

class Past {
 public:
  static constexpr int64_t kStep = 5 * kNanosPerSecond;
  static constexpr size_t kSteps = 60;

  // The figures that a tick at this time has; `change` rises from call to call. `width_ns`: the values are averages of
  // so much time; 0 for ticks. A time before the last one is that of a clock that was set back: the line goes on.
  void note(int64_t time_ns, const Figures& figures, uint64_t change, int64_t width_ns = 0);

  // Begin of the last step; 0: there is none.
  int64_t end_ns() const { return end_ns_; }
  // Averages, the newest last; NaN: a gap.
  const std::deque<float>& steps(size_t figure) const { return lines_[figure].steps; }
  // How many of the last steps contain all that changed after `change`.
  size_t changed_after(uint64_t change) const;

 private:
  // Two values that follow one another and have steps between them.
  struct Link {
    int64_t from_ns = 0;  // the steps of the two
    int64_t to_ns = 0;
    float before = 0;
    float after = 0;
  };
  struct Line {
    std::deque<float> steps;
    double sum = 0;  // of the last step
    uint32_t count = 0;
    float last = 0;           // the newest value
    int64_t last_ns = 0;      // its time; 0: there is none
    int64_t distance_ns = 0;  // to the value before it; 0: not known
    std::optional<Link> gap;  // between these two
  };

  void advance(int64_t begin_ns, uint64_t change);
  void take(Line& line, int64_t time_ns, double value, int64_t width_ns, uint64_t change);
  void fill(Line& line, const Link& link, bool joined, uint64_t change);

  std::array<Line, kFigures> lines_;
  std::deque<uint64_t> changes_;  // of each step, the last change
  int64_t end_ns_ = 0;
};

}  // namespace monitor::analysis
