#include "ui/top/filter.h"

#include <algorithm>

#include "base/text.h"

namespace monitor::analysis::top {

Filter::Filter(std::string_view text) {
  for (const std::string_view word : split(text.substr(0, kMaxBytes), ' ')) {
    if (word.empty()) continue;
    const bool pattern = word.find_first_of("*?") != std::string_view::npos;
    patterns_.push_back(pattern ? std::string(word) : "*" + std::string(word) + "*");
  }
}

bool Filter::matches(const LiveAgent& agent, Health health) const {
  return std::ranges::all_of(patterns_, [&](const std::string& pattern) {
    if (glob_match(pattern, agent.name) || glob_match(pattern, agent.host)) return true;
    // Only if the word names the state: "e" must not find every agent that is alive.
    const bool names_state = pattern.find("state=") != std::string::npos;
    if (names_state && glob_match(pattern, "state=" + std::string(to_string(health)))) return true;
    return std::ranges::any_of(
        agent.labels, [&](const auto& label) { return glob_match(pattern, label.first + "=" + label.second); });
  });
}

}  // namespace monitor::analysis::top
