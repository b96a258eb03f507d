// --abort-on: a PromQL expression over the counts of a rollout, which are series without labels: members, changed,
// applied, pending, failed (the sum of the next four), refused, gone, restarted, quarantined, away. `failed > 0`,
// `failed / changed > 0.01`, `refused > 0 or gone > 2`. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "config/rollout/state.h"

namespace monitor::config::rollout {

// Errors: kInvalidArgument with the place, for text that is not PromQL, or that uses anything but the counts.
Status check_abort_rule(std::string_view text);

// True: a value other than 0 is left. Errors as above.
Result<bool> holds(std::string_view text, const Counts& counts);

}  // namespace monitor::config::rollout
