// The payload: a batch that the validating pass accepts must be decoded, encoded again and printed. Only claims of the
// batch about itself are checked by one pass alone.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "metrics/check.h"
#include "metrics/claims.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "metrics/json_form.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::metrics;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool checked = check_batch(bytes).ok();
  // State from one input must not make it more or less strict with the next.
  static BatchChecker checker{BatchLimits{}};
  if (checker.check(bytes).ok() != checked || checker.check(bytes).ok() != checked) std::abort();
  const auto batch = decode_batch(bytes);
  if (checked && !batch.ok()) std::abort();
  if (batch.ok() && !checked && check_claims(*batch).ok()) {
    bool late = false;
    for (const Frame& frame : batch->frames) {
      late = late || frame.time_ns > kMaxTimeNs || frame.rates_since_ns > kMaxTimeNs;
    }
    if (!late) std::abort();
  }
  if (batch) {
    (void)batch_to_json(*batch);
    for (size_t i = 0; i < batch->frames.size(); ++i) (void)tick_to_json(*batch, i, false);
  }
  (void)batch_from_json(bytes);
  return 0;
}
