// The share of each agent's series that are unusual at once (docs/unusual.md), by agent.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace monitor::analysis::top {

using UnusualShares = std::map<std::string, double, std::less<>>;  // 0 to 1

inline std::optional<double> share_of(const UnusualShares& shares, std::string_view agent) {
  const auto found = shares.find(agent);
  return found == shares.end() ? std::nullopt : std::optional(found->second);
}

}  // namespace monitor::analysis::top
