// CounterCheck: checks that the totals of ticks never fall from one batch of a run to a later one. Remembers only the
// highest sequence, because batches from the spool arrive between fresh ones. Not thread-safe.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "metrics/check.h"

namespace monitor::server {

class CounterCheck {
 public:
  // kInvalidArgument if the batch's totals contradict those of another sequence. All batches must be of one
  // incarnation.
  Status check(const metrics::BatchView& view);

 private:
  uint64_t sequence_ = 0;
  uint64_t ticks_due_ = 0;
  uint64_t ticks_missed_ = 0;
};

}  // namespace monitor::server
