// Baseline: what is known of a series: its extremes of each hour of the last week, in little memory.
//
// An hour is kept only while it can be the extreme of a window that ends at the newest hour: no later hour has a lower
// low, or a higher high. Of random values these are about five hours for each side, and 168 of a series that only falls
// or only rises. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "unusual/score.h"

namespace monitor::unusual {

class Baseline {
 public:
  using Windows = std::array<Extremes, kWindowHours.size()>;

  // Adds an hour, numbered from 1970. Hours may come in any order, and again with wider extremes.
  void add(int64_t hour, const Extremes& extremes);

  // The extremes of the windows that end before the hour `end`, which must be after all that were added. A window
  // without data is empty. Nothing: too few hours have data.
  std::optional<Windows> windows(int64_t end) const;

  // Hours with data in the longest window that ends before the hour `end`.
  int64_t hours(int64_t end) const;

  size_t bytes() const { return (lows_.capacity() + highs_.capacity()) * sizeof(Step); }

 private:
  struct Step {
    int64_t hour = 0;
    double value = 0;  // of a high; of a low: negated, so that the same code finds both
  };
  using Steps = std::vector<Step>;  // hours ascend, values descend
  static void add_step(Steps& steps, Step added, int64_t oldest);
  static const Step* first_from(const Steps& steps, int64_t hour);

  static constexpr size_t kWordBits = 64;
  static constexpr size_t kWords = 3;  // more bits than hours in the longest window
  void mark(int64_t hour);

  Steps lows_;
  Steps highs_;
  int64_t newest_ = INT64_MIN;
  std::array<uint64_t, kWords> with_data_{};  // by hour, modulo their number
};

}  // namespace monitor::unusual
