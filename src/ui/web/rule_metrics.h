// The metrics of single groups of rules. They come and go with the files, so that they are not cells of the registry.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "rules/rule_status.h"

namespace monitor::analysis::web {

// In Prometheus' text format: monitor_rules_group_...{rule_group="FILE;GROUP"}, for the first kMostGroups groups. Pure.
inline constexpr size_t kMostGroups = 500;
std::string rule_group_metrics(std::span<const rules::GroupFigures> groups);

}  // namespace monitor::analysis::web
