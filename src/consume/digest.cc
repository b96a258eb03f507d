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
  const bool json = record.value.starts_with('{');
  // The same batch can be written as JSON in several ways.
  const uint64_t hash = json ? hash64(kKey, metrics::encode_batch(batch)) : hash64(kKey, record.value);
  const auto upper = static_cast<uint32_t>(hash >> 32);
  if (json) return {(upper & ~uint32_t{3}) | Digest::kJson};
  if (payload::is_payload(record.value)) return {(upper & ~uint32_t{3}) | Digest::kPayload};
  return {upper & ~uint32_t{1}};
}

}  // namespace monitor::analysis
