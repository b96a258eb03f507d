// The judgements that are shipped, as data. Pure functions.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::config::rollout {

struct Shipped {
  std::string name;
  // One value for each agent, with its label "agent". $window is the time that is observed.
  std::string expression;
  std::string unit;
  // By how much the difference may exceed the usual one: at least `least`, and this share of the value before.
  double least = 0;
  double share = 0;
  bool both_ways = false;       // a fall is as bad as a rise
  bool absent_is_zero = false;  // an agent without a series has 0

  double limit_of(double before) const { return std::max(least, share * before); }
};

// By its name: "ticks missed", "points/s within 20 %" with any share. Nothing: there is none of this name.
std::optional<Shipped> shipped_of(std::string_view name);

}  // namespace monitor::config::rollout
