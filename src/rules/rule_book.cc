#include "rules/rule_book.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace monitor::rules {

void RuleBook::restore(const std::string& origin, const std::string& name, const std::string& text) {
  RuleFile parsed = parse_rule_file(text, name);
  if (!parsed.faults.empty()) return;
  files_[name] = {.origin = origin, .text = text, .groups = std::move(parsed.groups), .fault = "", .valid = true};
}

void RuleBook::take_one(const std::string& origin, const std::string& name, const Result<std::string>& text,
                        Change& change) {
  const auto found = files_.find(name);
  if (text && found != files_.end() && found->second.valid && found->second.text == *text) {
    found->second.fault.clear();
    found->second.refused.clear();
    return;
  }
  if (text && found != files_.end() && !found->second.fault.empty() && found->second.refused == *text) return;
  RuleFile parsed;
  if (text) parsed = parse_rule_file(*text, name);
  const std::string fault = text ? parsed.fault_text(name) : text.error().message();
  File& file = files_[name];
  file.origin = origin;
  if (fault.empty()) {
    file = {.origin = origin, .text = *text, .groups = std::move(parsed.groups), .fault = "", .valid = true};
    change.applied.push_back(name);
    change.groups = true;
    return;
  }
  if (file.fault != fault) change.refused.push_back(name);
  file.fault = fault;
  file.refused = text ? *text : "";
}

RuleBook::Change RuleBook::take(const std::string& origin, const RuleTexts& texts) {
  Change change;
  for (auto at = files_.begin(); at != files_.end();) {
    if (at->second.origin != origin || texts.contains(at->first)) {
      ++at;
      continue;
    }
    change.groups = change.groups || at->second.valid;
    change.removed.push_back(at->first);
    at = files_.erase(at);
  }
  for (const auto& [name, text] : texts) take_one(origin, name, text, change);
  return change;
}

std::vector<Group> RuleBook::groups() const {
  std::vector<Group> all;
  for (const auto& [name, file] : files_) std::ranges::copy(file.groups, std::back_inserter(all));
  return all;
}

size_t RuleBook::refused() const {
  return static_cast<size_t>(std::ranges::count_if(files_, [](const auto& one) { return !one.second.fault.empty(); }));
}

}  // namespace monitor::rules
