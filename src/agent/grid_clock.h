// GridClock: the time of ticks, on the grid of payload v2 (docs/payload-v2.md), where it takes the fewest bytes.
//
// The wall clock advances by what the monotonic one does, as long as it is then less than 20 us wrong: readers compute
// rates from times of the wall clock, and agents from the monotonic one. Not thread-safe.
#pragma once

#include <cstdint>
#include <cstdlib>

#include "base/clock.h"
#include "inputs/collector.h"

namespace monitor::agent {

class GridClock {
 public:
  static constexpr int64_t kGridNs = 10'000;
  static int64_t rounded(int64_t ns) { return ns / kGridNs * kGridNs; }

  // `now` is what the clocks show.
  Timestamp place(const Timestamp& now) {
    const Timestamp real{rounded(now.wall_ns), rounded(now.mono_ns)};
    const int64_t expected = last_.wall_ns + real.mono_ns - last_.mono_ns;
    last_ = {std::abs(expected - real.wall_ns) <= kGridNs ? expected : real.wall_ns, real.mono_ns};
    return last_;
  }

 private:
  Timestamp last_;
};

}  // namespace monitor::agent
