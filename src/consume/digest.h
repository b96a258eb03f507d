// A digest of a record's content, which distinguishes a copy of a batch from another batch with the same sequence.
// Pure.
#pragma once

#include <cstdint>

#include "metriclog/log.h"
#include "metrics/batch.h"

namespace monitor::analysis {

// Agents repeat a batch with exactly the same bytes. A server may write it as protobuf once and as JSON or payload v2
// another time; digests of protobuf and of the others, which are digests of the decoded batch, cannot be compared.
struct Digest {
  uint32_t value = 0;  // lowest bit: 1 for JSON and payload v2

  bool contradicts(Digest other) const { return ((value ^ other.value) & 1) == 0 && value != other.value; }
  bool operator==(const Digest&) const = default;
};

// `batch` is the decoded record; its values are only needed if the record is JSON.
Digest digest_of(const metriclog::Record& record, const metrics::Batch& batch);

}  // namespace monitor::analysis
