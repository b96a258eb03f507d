#include "outputs/stream/versioned_source.h"

#include "metrics/encode.h"
#include "payload/decode.h"

namespace monitor::agent {

std::optional<stream::Outgoing> VersionedSource::next() {
  while (auto outgoing = source_.next()) {
    if (takes_v2_ || !payload::is_payload(outgoing->bytes)) return outgoing;
    const auto batch = payload::decode(outgoing->bytes, agent_id_);
    if (!batch) {
      source_.rejected(outgoing->id, stream::RejectedBy::kOutput, "invalid: " + batch.error().message());
      continue;
    }
    bytes_ = metrics::encode_batch(*batch);
    ++converted_;
    return stream::Outgoing{outgoing->id, bytes_};
  }
  return std::nullopt;
}

}  // namespace monitor::agent
