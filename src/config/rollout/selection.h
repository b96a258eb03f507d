// Which agents a step changes. Each agent has a place that follows from its id and the rollout's salt alone, so that a
// later step contains the earlier ones, and an agent that joins does not move the others. With a label to spread over,
// each value of the label gives its share, and at least one agent as long as there are enough. Pure functions.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/rollout/amount.h"

namespace monitor::config::rollout {

// The same on every machine.
uint64_t place_of(std::string_view salt, std::string_view agent_id);

struct Candidate {
  std::string agent_id;
  std::string value;  // of the label to spread over
};

// By the label's value: agents whose place is at most this are changed. No entry: none is.
using Thresholds = std::map<std::string, uint64_t>;

// Never lowers a threshold of `before`, so that a changed agent stays changed.
Thresholds choose(std::string_view salt, const std::vector<Candidate>& candidates, const Amount& amount,
                  const Thresholds& before);

// Whether the agent is changed. `all`: the last step, which contains everyone.
bool is_chosen(const Thresholds& thresholds, bool all, std::string_view salt, const Candidate& candidate);

}  // namespace monitor::config::rollout
