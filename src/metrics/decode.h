// Decodes the wire form of a MetricBatch, one or many, with or without its values. check.h checks a batch without
// decoding it.
//
// All functions can be called on any thread; an object only on one thread at a time. Times are Unix nanoseconds. What a
// decoder returns is its own memory, valid until the next call.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/series_memory.h"

namespace monitor::metrics {

// Bounds of a batch. A batch beyond any of them is rejected as a whole; the error has the field, its value and the
// bound.
struct BatchLimits {
  size_t batch_bytes = kMaxBatchBytes;
  size_t points = 100'000;
  size_t series = 20'000;
  size_t frames = 10'000;
  size_t labels = 32;         // per series
  size_t name_bytes = 256;    // of a metric's name, a label's name, a unit
  size_t value_bytes = 1024;  // of a label's value, a resource label's value, a host name
};

// Decodes and checks every field: indexes in range, matching value counts, UTF-8 strings. Errors: kInvalidArgument;
// kResourceExhausted for a bound. Unknown fields are skipped, so that batches of newer agents can be read.
Result<Batch> decode_batch(std::string_view bytes, const BatchLimits& limits = {});

// The inverse of encode_drop(), encode_end() and encode_elsewhere().
Result<Drop> decode_drop(std::string_view bytes);
Result<IncarnationEnd> decode_end(std::string_view bytes);
Result<Elsewhere> decode_elsewhere(std::string_view bytes);

// Decodes the envelopes of many batches, for ledgers, which need no values. Frames have their times and the right
// number of points, but the points are empty. Series and resource labels are omitted. Checks what decode_batch()
// checks. Not thread-safe.
class EnvelopeDecoder {
 public:
  // Valid until the next call.
  Result<const Batch*> decode(std::string_view bytes);

 private:
  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;
  Batch batch_;
};

// Decodes many batches as decode_batch() does, and adds the labels of their resources to the series (carry_resource()).
// Agents send the same list of series with every batch, so the lists are kept, and most batches need only their values
// decoded. Bounded by the series of all lists. Not thread-safe.
class BatchDecoder {
 public:
  // Valid until the next call.
  Result<const Batch*> decode(std::string_view bytes);

 private:
  static constexpr size_t kMaxKnownSeries = 200'000;

  void keep(uint64_t list_id, const Labels& resource);

  BatchLimits limits_;
  SeriesMemory memory_;
  SeriesMemory::Types types_;
  // By the list's number and the resource.
  std::map<uint64_t, std::map<Labels, std::vector<Series>>> known_;
  size_t known_series_ = 0;
  // The batch has the series of this entry, and the entry has none, until the next call.
  std::vector<Series>* lent_ = nullptr;
  Batch batch_;  // keeps its memory for the next batch, as do the values
  std::vector<int64_t> last_values_;
};

}  // namespace monitor::metrics
