// TickTimers: timers for work whose time matters little. It runs with a tick, on the wakeup that the agent needs
// anyway, if one is due near its time: up to a quarter of the wait earlier, or later by what the owner allows. Waits
// below a second keep their time, and so does work that no tick is near to.
//
// Thread contract: the loop's thread. The timers that it adds to must outlive it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>

#include "base/event_loop.h"

namespace monitor::agent {

class TickTimers final : public Timers {
 public:
  // Returns when the first tick at or after a time is due; INT64_MAX: none is planned.
  using TickAfter = std::function<int64_t(int64_t mono_ns)>;

  // How much later work may run: by a quarter of the wait, or by the wait once more.
  enum class Late : uint8_t { kQuarter, kWhole };

  TickTimers(Timers& timers, Late late, TickAfter tick_after)
      : timers_(timers), late_(late), tick_after_(std::move(tick_after)) {}

  const Clock& clock() const override { return timers_.clock(); }
  TimerId call_at(int64_t mono_ns, std::function<void()> callback) override {
    return timers_.call_at(with_tick(mono_ns), std::move(callback));
  }
  void cancel_timer(TimerId id) override { timers_.cancel_timer(id); }

 private:
  int64_t with_tick(int64_t mono_ns) const {
    const int64_t wait = mono_ns - clock().mono_ns();
    if (wait < kNanosPerSecond) return mono_ns;
    const int64_t tick = tick_after_(mono_ns - wait / 4);
    const int64_t latest = std::min(late_ == Late::kWhole ? wait : wait / 4, kLatest);
    // Just after the tick, whose reading must not wait.
    return tick > mono_ns + latest ? mono_ns : tick + 1;
  }

  static constexpr int64_t kLatest = 30 * kNanosPerSecond;

  Timers& timers_;
  Late late_;
  TickAfter tick_after_;
};

}  // namespace monitor::agent
