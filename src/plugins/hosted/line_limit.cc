#include "plugins/hosted/line_limit.h"

#include <utility>

#include "base/log.h"
#include "base/time_format.h"

namespace monitor::agent {

LineLimit::~LineLimit() {
  timers_.cancel_timer(timer_);
  tell();
}

bool LineLimit::pass() {
  const int64_t now = timers_.clock().mono_ns();
  if (since_ns_ == 0 || now - since_ns_ >= kPeriod) {
    since_ns_ = now;
    passed_ = 0;
  }
  if (passed_ < most_) {
    ++passed_;
    return true;
  }
  ++left_out_;
  if (timer_ == 0) {
    timer_ = timers_.call_at(since_ns_ + kPeriod, [this] {
      timer_ = 0;
      tell();
    });
  }
  return false;
}

void LineLimit::tell() {
  if (left_out_ == 0) return;
  log_warning("log lines of a plugin were omitted", {{"plugin", plugin_},
                                                     {"lines", std::exchange(left_out_, 0)},
                                                     {"limit", kMost},
                                                     {"in", format_duration(kPeriod)}});
}

}  // namespace monitor::agent
