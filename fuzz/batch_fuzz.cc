// The payload: what one walk accepts the other must read, write again, and print.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "metrics/decode.h"
#include "metrics/encode.h"
#include "metrics/json_form.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::metrics;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const bool checked = check_batch(bytes).ok();
  // What it remembers of one input must not make it more or less strict with the next.
  static BatchChecker checker{BatchLimits{}};
  if (checker.check(bytes).ok() != checked || checker.check(bytes).ok() != checked) std::abort();
  const auto batch = decode_batch(bytes);
  if (checked != batch.ok()) std::abort();
  if (batch) {
    (void)batch_to_json(*batch);
    for (size_t i = 0; i < batch->frames.size(); ++i) (void)tick_to_json(*batch, i, false);
  }
  (void)batch_from_json(bytes);
  return 0;
}
