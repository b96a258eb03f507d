// Checks a MetricBatch in its wire form without decoding its values. A server calls it for every batch before it
// appends the bytes to the log: what passes here can be decoded by every reader (decode.h).
//
// check_batch() can be called on any thread; a BatchChecker only on one thread at a time. Times are Unix nanoseconds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "metrics/decode.h"
#include "metrics/series_memory.h"

namespace monitor::metrics {

// A summary of a batch, without its points. Views point into the bytes.
struct BatchView {
  std::string_view agent_id;
  std::string_view hostname;
  std::string_view incarnation;
  uint64_t sequence = 0;
  uint64_t config_revision = 0;
  uint64_t first_unacked = 0;
  int64_t appended_ns = 0;
  int64_t first_time_ns = 0;  // of the first frame; 0: a heartbeat, which has no frames
  int64_t last_time_ns = 0;
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  size_t series = 0;
  size_t frames = 0;
  size_t points = 0;
  // Of BatchChecker: the same number is the same list of series, in the same checker; 0: not known.
  uint64_t list_id = 0;
};

// Checks the bytes in one pass, without building anything. What passes here decodes with decode_batch().
// It also rejects claims beyond their bounds (claims.h), which decode_batch() accepts because an old log may contain
// them.
Result<BatchView> check_batch(std::string_view bytes, const BatchLimits& limits = {});

// check_batch() for many batches: skips the checks of a list of series that it has seen recently. Not thread-safe.
class BatchChecker {
 public:
  explicit BatchChecker(const BatchLimits& limits) : limits_(limits) {}
  Result<BatchView> check(std::string_view bytes);

 private:
  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;  // kept for its memory
};

}  // namespace monitor::metrics
