#include "config/declared/plan.h"

#include <algorithm>
#include <set>
#include <utility>

#include "config/history/text_diff.h"
#include "config/keys.h"

namespace monitor::config {

namespace {

int order_of(const std::string& key) {
  switch (kind_of_key(key)) {
    case KeyKind::kDefaults:
      return 0;
    case KeyKind::kGroup:
      return 1;
    default:
      return 2;
  }
}

bool can_be_declared(const std::string& key) {
  const KeyKind kind = kind_of_key(key);
  return kind == KeyKind::kDefaults || kind == KeyKind::kGroup || kind == KeyKind::kAgent;
}

}  // namespace

std::string_view to_string(PlannedAction action) {
  switch (action) {
    case PlannedAction::kSame:
      return "same";
    case PlannedAction::kCreate:
      return "create";
    case PlannedAction::kChange:
      return "change";
    case PlannedAction::kDelete:
      return "delete";
    case PlannedAction::kExtra:
      return "extra";
  }
  return "";
}

std::vector<PlannedDocument> plan_of(const std::map<std::string, std::string>& declared, const StoredKeys& stored,
                                     bool prune) {
  std::set<std::string> keys;
  for (const auto& [key, text] : declared) keys.insert(key);
  for (const auto& [key, one] : stored) {
    if (can_be_declared(key)) keys.insert(key);
  }
  std::vector<PlannedDocument> plan;
  for (const std::string& key : keys) {
    PlannedDocument one{key};
    if (const auto found = stored.find(key); found != stored.end()) one.before = found->second.value;
    if (const auto found = declared.find(key); found != declared.end()) one.after = found->second;
    if (!one.after) {
      one.action = prune ? PlannedAction::kDelete : PlannedAction::kExtra;
    } else if (!one.before) {
      one.action = PlannedAction::kCreate;
    } else {
      one.action = same_document(one.before, one.after) ? PlannedAction::kSame : PlannedAction::kChange;
    }
    plan.push_back(std::move(one));
  }
  std::ranges::stable_sort(plan, {}, [](const PlannedDocument& one) { return order_of(one.key); });
  return plan;
}

}  // namespace monitor::config
