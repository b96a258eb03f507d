// InactivityTimer: reports that nothing has happened for a time. touch() is cheap, because it does not move the timer:
// a timer that fires too early moves itself.
#pragma once

#include <cstdint>
#include <functional>
#include <utility>

#include "base/event_loop.h"

namespace monitor::grpc {

class InactivityTimer {
 public:
  // A timeout of 0 means none. `due` returns true to watch for another timeout, and must not destroy the timer.
  // `timers` must outlive it.
  InactivityTimer(Timers& timers, int64_t timeout_ns, std::function<bool()> due)
      : timers_(timers), timeout_ns_(timeout_ns), due_(std::move(due)) {}
  ~InactivityTimer() { stop(); }
  InactivityTimer(const InactivityTimer&) = delete;
  InactivityTimer& operator=(const InactivityTimer&) = delete;

  // Does nothing if it runs.
  void start() {
    if (timer_ != 0 || timeout_ns_ == 0) return;
    touch();
    arm();
  }
  void touch() { since_ns_ = timers_.clock().mono_ns(); }
  void stop() { timers_.cancel_timer(std::exchange(timer_, 0)); }

 private:
  void arm() {
    timer_ = timers_.call_at(since_ns_ + timeout_ns_, [this] { fire(); });
  }
  void fire() {
    timer_ = 0;
    if (timers_.clock().mono_ns() < since_ns_ + timeout_ns_) return arm();
    if (due_()) start();
  }

  Timers& timers_;
  int64_t timeout_ns_;
  std::function<bool()> due_;
  int64_t since_ns_ = 0;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::grpc
