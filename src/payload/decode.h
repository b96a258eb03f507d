// Decodes payload v2 (docs/payload-v2.md), and recognizes it.
//
// All functions can be called on any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"

namespace monitor::payload {

// Whether these are the bytes of a payload, of this version or a later one, and not protobuf or JSON.
bool is_payload(std::string_view bytes);

// What identifies a batch. It stands at fixed places, so that it can be read without anything else.
struct Head {
  std::string incarnation;  // 16 bytes
  uint64_t sequence = 0;
};
Result<Head> read_head(std::string_view bytes);

// `agent_id` is the record's key. Checks what metrics::decode_batch() checks, and allocates no more than the limits
// allow, whatever the record claims. Errors: kInvalidArgument; kResourceExhausted for a limit; kUnimplemented for a
// later version.
Result<metrics::Batch> decode(std::string_view bytes, std::string_view agent_id,
                              const metrics::BatchLimits& limits = {});

// The same for a record of any version, v1 included, which names its agent itself.
Result<metrics::Batch> decode_any(std::string_view bytes, std::string_view agent_id,
                                  const metrics::BatchLimits& limits = {});

}  // namespace monitor::payload
