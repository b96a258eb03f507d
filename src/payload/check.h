// Checks records without building batches. A server calls it for every record before it appends the bytes to the log:
// what passes here can be decoded by every reader.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/check.h"
#include "payload/record_reader.h"
#include "payload/set_memory.h"

namespace monitor::payload {

// Reads only the values of a series set that it has seen recently. Not thread-safe.
class BatchChecker {
 public:
  explicit BatchChecker(const metrics::BatchLimits& limits) : limits_(limits), reader_(limits, Want::kChecks) {}

  // The views point into this object, and are valid until the next call. Also refuses claims beyond their bounds
  // (metrics/claims.h), as metrics::check_batch() does.
  Result<metrics::BatchView> check(std::string_view bytes, std::string_view agent_id);
  // The series of a record that has passed, as they stand in a MetricBatch. Slow.
  Result<std::string> wire_series(std::string_view bytes, std::string_view agent_id) const;

 private:
  metrics::BatchLimits limits_;
  SetMemory memory_{SetMemory::Keep::kPlans};
  RecordReader reader_;
  metrics::Batch batch_;
};

}  // namespace monitor::payload
