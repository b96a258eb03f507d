// Payload v2: what the decoder accepts can be encoded, and comes back the same. No record may take more memory or time
// than the limits allow.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "payload/decode.h"
#include "payload/encode.h"
#include "payload/series_set.h"
#include "payload/testing/random_batches.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::payload;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_head(bytes);
  (void)set_named_by(bytes);
  SeriesSets sets;
  (void)sets.add(name_of_set(bytes), bytes);
  const auto batch = decode(bytes, "a", &sets);
  if (!batch) return 0;
  const auto again = encode(*batch);
  // The record may be larger than the limit, because it was not written as our encoder writes it.
  if (!again) {
    if (again.error().code() != monitor::Code::kResourceExhausted) std::abort();
    return 0;
  }
  const auto back = decode(*again, "a");
  if (!back || exact_text(*back) != exact_text(*batch)) std::abort();
  return 0;
}
