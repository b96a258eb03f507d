// ResultStore: stores the results of rules: series (recorded ones, ALERTS, ALERTS_FOR_STATE) and the state of groups.
// What one evaluation writes becomes visible to others completely or not at all.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/result.h"
#include "query/series.h"

namespace monitor::rules {

// In encoded form (group_state.h), which the store does not interpret.
struct StoredRule {
  std::string alerts;
  std::string outputs;
};

struct StoredGroup {
  int64_t evaluated_ms = 0;
  std::map<std::string, StoredRule> rules;  // by the rule's identity
};

// One thread. As a SeriesSource, it includes what the open evaluation has written.
class ResultStore : public query::SeriesSource {
 public:
  // An evaluation of a group writes between begin() and commit(). After an error of any of them, rollback().
  virtual Status begin() = 0;
  // Replaces a sample of the series that has the same time.
  virtual Status append(const query::Labels& labels, const query::Point& point) = 0;
  virtual Status save_rule(const std::string& group, const std::string& rule, const StoredRule& state) = 0;
  virtual Status save_group(const std::string& group, int64_t evaluated_ms) = 0;
  virtual Status commit() = 0;
  virtual void rollback() = 0;

  // Nothing if the group was never stored.
  virtual Result<std::optional<StoredGroup>> load(const std::string& group) = 0;
  // Removes the state of a group that no file has any more. Its series stay until they expire.
  virtual Status forget(const std::string& group) = 0;
};

}  // namespace monitor::rules
