// Reading the wire form of a MetricBatch: all of it, or only what a server needs to pass it on.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/series_memory.h"

namespace monitor::metrics {

// Bounds that a batch is checked against. What is refused is refused whole, with the field, the figure and the bound.
struct BatchLimits {
  size_t batch_bytes = kMaxBatchBytes;
  size_t points = 100'000;
  size_t series = 20'000;
  size_t frames = 10'000;
  size_t labels = 32;         // a series
  size_t name_bytes = 256;    // a metric's or label's name, a unit
  size_t value_bytes = 1024;  // a label's value, a resource label's value, a host name
};

// Every field, checked: indices in range, value counts right, strings UTF-8. Errors are kInvalidArgument, or
// kResourceExhausted for a bound. Unknown fields are skipped, so that a newer agent's batches are read.
Result<Batch> decode_batch(std::string_view bytes, const BatchLimits& limits = {});

// What encode_drop() and encode_end() made.
Result<Drop> decode_drop(std::string_view bytes);
Result<IncarnationEnd> decode_end(std::string_view bytes);

// What is in a batch, seen without building its points. Views point into the bytes.
struct BatchView {
  std::string_view agent_id;
  std::string_view hostname;
  std::string_view incarnation;
  uint64_t sequence = 0;
  uint64_t config_revision = 0;
  uint64_t first_unacked = 0;
  int64_t appended_ns = 0;
  int64_t first_time_ns = 0;  // of its frames; 0 for a heartbeat
  int64_t last_time_ns = 0;
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  size_t series = 0;
  size_t frames = 0;
  size_t points = 0;
};

// Walks the bytes once, without building anything, and checks them as decode_batch does: what passes here decodes
// there. Beyond that it refuses figures that no agent reaches (claims.h), which decode_batch lets pass: they may be in
// an old log.
Result<BatchView> check_batch(std::string_view bytes, const BatchLimits& limits = {});

// check_batch() for many batches: a list of series that it has just seen is not checked again. Not thread-safe.
class BatchChecker {
 public:
  explicit BatchChecker(const BatchLimits& limits) : limits_(limits) {}
  Result<BatchView> check(std::string_view bytes);

 private:
  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;  // kept for its memory
};

// The envelope of many batches, for those who keep books and look at no value: frames come with their times and with as
// many points as they have, whose content means nothing; there are no series and no resource labels. Checks what
// decode_batch() checks. Not thread-safe.
class EnvelopeDecoder {
 public:
  Result<Batch> decode(std::string_view bytes);

 private:
  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;
};

}  // namespace monitor::metrics
