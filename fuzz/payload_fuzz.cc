// Payload v2: what the decoder accepts can be encoded, and comes back the same; the server's check and the decoders
// that remember series sets agree with it. No record may take more memory or time than the limits allow.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "metrics/encode.h"
#include "payload/batch_decoder.h"
#include "payload/check.h"
#include "payload/decode.h"
#include "payload/encode.h"
#include "payload/series_set.h"
#include "payload/testing/random_batches.h"

using namespace monitor::payload;

namespace {

// They keep what earlier inputs have taught them.
void compare_with_memories(std::string_view bytes, const monitor::Result<monitor::metrics::Batch>& batch) {
  static BatchChecker checker({});
  static BatchDecoder decoder;
  static EnvelopeDecoder envelopes;
  const auto view = checker.check(bytes, "a");
  const auto whole = decoder.decode(bytes, "a");
  const auto envelope = envelopes.decode(bytes, "a");
  if (whole.ok() != batch.ok() || envelope.ok() != batch.ok()) std::abort();
  if (!batch.ok()) {
    if (view.ok()) std::abort();
    return;
  }
  if ((*whole)->frames.size() != batch->frames.size() || (*envelope)->frames.size() != batch->frames.size())
    std::abort();
  for (size_t i = 0; i < batch->frames.size(); ++i) {
    const auto& points = batch->frames[i].points;
    if ((*envelope)->frames[i].points.size() != points.size()) std::abort();
    for (size_t k = 0; k < points.size(); ++k) {
      if ((*whole)->frames[i].points[k].integer != points[k].integer) std::abort();
    }
  }
  // A claim may be refused that readers accept.
  if (view.ok() && view->sequence != batch->sequence) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)read_head(bytes);
  (void)read_set(bytes);
  const auto batch = decode(bytes, "a");
  compare_with_memories(bytes, batch);
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
