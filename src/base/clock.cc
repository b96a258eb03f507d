#include "base/clock.h"

#include <ctime>

namespace monitor {

namespace {

int64_t read_clock(clockid_t id) {
  timespec ts{};
  clock_gettime(id, &ts);
  return static_cast<int64_t>(ts.tv_sec) * kNanosPerSecond + ts.tv_nsec;
}

}  // namespace

int64_t SystemClock::wall_ns() const { return read_clock(CLOCK_REALTIME); }
int64_t SystemClock::mono_ns() const { return read_clock(CLOCK_MONOTONIC); }

}  // namespace monitor
