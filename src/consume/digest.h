// A digest of a record's content, which distinguishes a copy of a batch from another batch with the same sequence.
// Pure.
#pragma once

#include <cstdint>

#include "metriclog/log.h"
#include "metrics/batch.h"

namespace monitor::analysis {

// Agents repeat a batch with exactly the same bytes. One server may write it as payload v1, and another one as v2 or
// JSON. Digests of different forms cannot be compared: the batches count as copies.
struct Digest {
  // The two lowest bits name the form: x0 payload v1, 01 JSON, 11 payload v2.
  uint32_t value = 0;

  static constexpr uint32_t kJson = 1;
  static constexpr uint32_t kPayload = 3;
  uint32_t form() const { return (value & 1) == 0 ? 0 : value & 3; }
  bool contradicts(Digest other) const { return form() == other.form() && value != other.value; }
  bool operator==(const Digest&) const = default;
};

// `batch` is the decoded record; its values are only needed if the record is JSON.
Digest digest_of(const metriclog::Record& record, const metrics::Batch& batch);

}  // namespace monitor::analysis
