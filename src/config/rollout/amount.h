// Amount: a number of agents, as a count ("20") or as a share of all ("5%"). Pure functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::config::rollout {

struct Amount {
  double percent = 0;  // above 0 and at most 100; 0: `count` counts
  size_t count = 0;

  // Of `total` agents: at least one, and at most all. A share is rounded up.
  size_t of(size_t total) const;
  bool all() const { return percent == kAll; }
  static constexpr double kAll = 100;

  bool operator==(const Amount&) const = default;
};

std::string to_string(const Amount& amount);
// Errors: kInvalidArgument with what was got and what is expected.
Result<Amount> parse_amount(std::string_view text);
// "25%,100%", in ascending order as far as it can be told.
Result<std::vector<Amount>> parse_amounts(std::string_view text);
// The canary and the steps as one list that ascends and ends with all agents; it appends 100% if that is missing.
Result<std::vector<Amount>> steps_of(const Amount& canary, const std::vector<Amount>& steps);

}  // namespace monitor::config::rollout
