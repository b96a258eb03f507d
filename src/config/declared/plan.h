// What applying declared documents would change. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/declared/declared.h"
#include "config/fleet.h"

namespace monitor::config {

enum class PlannedAction {
  kSame,  // as declared, at least as JSON
  kCreate,
  kChange,
  kDelete,  // stored and not declared, with prune
  kExtra,   // stored and not declared, without prune
};
std::string_view to_string(PlannedAction action);  // "create"

struct PlannedDocument {
  std::string key;
  PlannedAction action = PlannedAction::kSame;
  std::optional<std::string> before;
  std::optional<std::string> after;
};

// In the order in which documents take effect on each other: defaults, groups, agents. Only documents among `stored`
// that can be declared count: not overrides or statuses.
std::vector<PlannedDocument> plan_of(const std::map<std::string, std::string>& declared, const StoredKeys& stored,
                                     bool prune);

}  // namespace monitor::config
