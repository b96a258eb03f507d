#include "consume/digest.h"

#include "base/hash64.h"
#include "metrics/encode.h"
#include "payload/decode.h"

namespace monitor::analysis {

namespace {

// Must never change, because snapshots contain digests. It need not be secret: a forger would have to match a batch
// that the agent has not sent yet.
constexpr HashKey kKey{0x6D6F6E69746F7231, 0x6261746368657331};

}  // namespace

Digest digest_of(const metriclog::Record& record, const metrics::Batch& batch) {
  // As JSON or payload v2, the same batch can be written in several ways.
  const bool decoded = record.value.starts_with('{') || payload::is_payload(record.value);
  const uint64_t hash = decoded ? hash64(kKey, metrics::encode_batch(batch)) : hash64(kKey, record.value);
  return {static_cast<uint32_t>(hash >> 32 & ~uint64_t{1}) | (decoded ? 1U : 0U)};
}

}  // namespace monitor::analysis
