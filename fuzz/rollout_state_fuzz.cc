// The stored state of a rollout, which anyone with access to the configuration may write.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "config/rollout/machine.h"
#include "config/rollout/state.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::config::rollout;  // NOLINT(google-build-using-namespace)
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto rollout = parse_rollout(text);
  if (!rollout) return 0;
  // What was read is written and read again without a change, and the machine copes with it.
  const auto again = parse_rollout(to_json(*rollout));
  if (!again && again.error().code() != monitor::Code::kResourceExhausted) std::abort();
  Seen seen;
  const int64_t now = 1'700'000'000 * monitor::kNanosPerSecond;
  const Decision decision = decide(*rollout, seen, now);
  (void)describe_state(decision.next);
  (void)failure_of(*rollout, rollout->content);
  return 0;
}
