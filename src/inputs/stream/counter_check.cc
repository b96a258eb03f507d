#include "inputs/stream/counter_check.h"

#include <fmt/format.h>

namespace monitor::server {

Status CounterCheck::check(const metrics::BatchView& view) {
  const bool later = view.sequence >= sequence_;
  const bool fits = later ? view.ticks_due >= ticks_due_ && view.ticks_missed >= ticks_missed_
                          : view.ticks_due <= ticks_due_ && view.ticks_missed <= ticks_missed_;
  if (!fits) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("batch: {} ticks due and {} missed at sequence {}, {} and {} at sequence {}: the totals fall",
                    view.ticks_due, view.ticks_missed, view.sequence, ticks_due_, ticks_missed_, sequence_));
  }
  if (!later) return {};
  sequence_ = view.sequence;
  ticks_due_ = view.ticks_due;
  ticks_missed_ = view.ticks_missed;
  return {};
}

}  // namespace monitor::server
