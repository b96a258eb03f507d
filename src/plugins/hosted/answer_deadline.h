// AnswerDeadline: when the answer to a request must arrive. The timer is not moved with every tick, which would cost
// more: it fires and then checks. Loop's thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include "base/event_loop.h"
#include "base/time_format.h"

namespace monitor::agent {

class AnswerDeadline {
 public:
  // `late` receives what did not happen: "it did not answer within 1s". `timers` must outlive the deadline.
  AnswerDeadline(Timers& timers, std::function<void(const std::string&)> late)
      : timers_(timers), late_(std::move(late)) {}
  ~AnswerDeadline() { timers_.cancel_timer(timer_); }
  AnswerDeadline(const AnswerDeadline&) = delete;
  AnswerDeadline& operator=(const AnswerDeadline&) = delete;

  void expect(int64_t within_ns, std::string_view what) {
    within_ns_ = within_ns;
    due_ns_ = timers_.clock().mono_ns() + within_ns;
    what_ = what;
    // A timer that fires earlier than needed is kept: it will check again.
    if (timer_ == 0 || timer_due_ns_ > due_ns_) arm();
  }
  // No answer is expected any more.
  void clear() { due_ns_ = 0; }

 private:
  void arm() {
    timers_.cancel_timer(timer_);
    timer_due_ns_ = due_ns_;
    timer_ = timers_.call_at(timer_due_ns_, [this] { check(); });
  }
  void check() {
    timer_ = 0;
    if (due_ns_ == 0) return;
    if (timers_.clock().mono_ns() < due_ns_) return arm();
    // The last statement: the owner may be destroyed.
    late_("it did not " + what_ + " within " + format_duration(within_ns_));
  }

  Timers& timers_;
  std::function<void(const std::string&)> late_;
  int64_t due_ns_ = 0;  // 0: none
  int64_t within_ns_ = 0;
  std::string what_;
  Timers::TimerId timer_ = 0;
  int64_t timer_due_ns_ = 0;
};

}  // namespace monitor::agent
