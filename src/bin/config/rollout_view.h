// What monitor-config rollout shows: text for people, JSON for programs. Pure functions.
#pragma once

#include <string>

#include "config/rollout/driver.h"

namespace monitor {

// Several lines: what it is, its steps, its agents, its judgements, its last events.
std::string rollout_text(const config::rollout::Passed& passed, int64_t now_ns);
// The whole state as one line of JSON, with "agents": the failed and pending ones.
std::string rollout_json(const config::rollout::Passed& passed);
// An event as one line of text or of JSON.
std::string event_text(const config::rollout::Event& event);
std::string event_json(const config::rollout::Rollout& rollout, const config::rollout::Event& event);
std::string progress_json(const config::rollout::Rollout& rollout, int64_t now_ns);
// One line of the list.
std::string list_text(const config::rollout::Rollout& rollout);
std::string list_json(const config::rollout::Rollout& rollout);

}  // namespace monitor
