#include "plugins/builtin/rate_limit.h"

#include "base/clock.h"

namespace monitor::agent {

void RateLimit::initialize(Options& options, metrics::SeriesTable&) {
  ticks_ = static_cast<int64_t>(options.number("ticks", 1, 1, 1e6));
  per_ns_ = options.duration("per", kNanosPerSecond, kNanosPerMilli, INT64_C(86400) * kNanosPerSecond);
}

bool RateLimit::run(metrics::Tick& tick) {
  if (!started_ || tick.due_mono_ns - window_start_ns_ >= per_ns_) {
    // Windows are aligned with the first one, so that timer jitter does not shift them.
    const int64_t behind = started_ ? (tick.due_mono_ns - window_start_ns_) % per_ns_ : 0;
    window_start_ns_ = tick.due_mono_ns - behind;
    started_ = true;
    passed_ = 0;
  }
  if (passed_ >= ticks_) return false;
  ++passed_;
  return true;
}

}  // namespace monitor::agent
