// Encodes a batch as payload v2 (docs/payload-v2.md). The agent id is not part of the record: it is the record's key.
//
// Can be called on any thread.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"

namespace monitor::payload {

struct EncodeOptions {
  // Of each frame: the monotonic time, in nanoseconds, by which the agent divided the growth of counters. Empty: the
  // frame's time less rates_since, which is not the same if the wall clock was adjusted in between. A wrong time costs
  // bytes, never a value: a rate that it does not explain travels as it is.
  std::span<const int64_t> elapsed_ns = {};
  metrics::BatchLimits limits = {};
};

// Every value that a reader decodes has exactly the bits of the batch's. Errors: kInvalidArgument for a batch that no
// record can hold; kResourceExhausted beyond a limit.
Result<std::string> encode(const metrics::Batch& batch, const EncodeOptions& options = {});

}  // namespace monitor::payload
