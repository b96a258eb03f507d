// Decodes payload v2 (docs/payload-v2.md), and recognizes it.
//
// All functions can be called on any thread, with a SeriesSets that no other thread changes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metrics/batch.h"
#include "metrics/decode.h"
#include "payload/series_set.h"

namespace monitor::payload {

// Whether these are the bytes of a payload, of this version or a later one, and not protobuf or JSON.
bool is_payload(std::string_view bytes);

// What identifies a batch. It stands at fixed places, so that it can be read without anything else.
struct Head {
  std::string incarnation;  // 16 bytes
  uint64_t sequence = 0;
};
Result<Head> read_head(std::string_view bytes);

// `agent_id` is the record's key. `sets` may be nullptr if the caller has none. Checks what metrics::decode_batch()
// checks, and allocates no more than the limits allow, whatever the record claims. Errors: kInvalidArgument;
// kResourceExhausted for a limit; kUnimplemented for a later version; kNotFound if the record names a series set that
// is not in `sets` (set_named_by()).
Result<metrics::Batch> decode(std::string_view bytes, std::string_view agent_id, const SeriesSets* sets = nullptr,
                              const metrics::BatchLimits& limits = {});

// The name of the set that the record needs; empty if it needs none. Errors as of decode().
Result<std::string> set_named_by(std::string_view bytes, const metrics::BatchLimits& limits = {});

}  // namespace monitor::payload
