// A digest of what a record says, by which a copy of a batch is told from another batch under the same sequence. Pure.
#pragma once

#include <cstdint>

#include "metriclog/log.h"
#include "metrics/batch.h"

namespace monitor::analysis {

// Agents send a batch again with the very same bytes. A server may have written it as protobuf once and as JSON once:
// digests of different forms say nothing of one another.
struct Digest {
  uint32_t value = 0;  // the lowest bit: JSON

  bool contradicts(Digest other) const { return ((value ^ other.value) & 1) == 0 && value != other.value; }
  bool operator==(const Digest&) const = default;
};

// `batch` is the record's, with its values where the record is JSON.
Digest digest_of(const metriclog::Record& record, const metrics::Batch& batch);

}  // namespace monitor::analysis
