// RuleReporter: the state of all rules, for the HTTP API of the page and for commands. The rule engine implements it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "query/labels.h"
#include "rules/alert.h"

namespace monitor::rules {

struct RuleStatus {
  bool alerting = false;  // otherwise a recording rule
  std::string name;       // of the alert, or of the recorded series
  std::string expression;
  query::Labels labels;
  std::vector<std::pair<std::string, std::string>> annotations = {};
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  std::vector<Alert> alerts = {};  // those that are pending or firing
  std::string error = {};          // of the last evaluation; empty: it succeeded
  int64_t evaluated_at_ms = 0;     // since 1970; 0: never
  double evaluation_seconds = 0;   // that it took
};

struct GroupStatus {
  std::string name;
  std::string file;
  int64_t interval_ms = 0;
  size_t limit = 0;  // 0: none
  std::vector<RuleStatus> rules = {};
  int64_t evaluated_at_ms = 0;
  double evaluation_seconds = 0;
};

// A group for the metrics, without its rules.
struct GroupFigures {
  std::string name;
  std::string file;
  size_t rules = 0;
  size_t failing = 0;  // rules whose last evaluation failed
  int64_t interval_ms = 0;
  int64_t evaluated_at_ms = 0;  // 0: never
  double evaluation_seconds = 0;
  double delay_seconds = 0;  // how far it is behind the data
};

// A file of rules as its origin has it.
struct RuleFileStatus {
  std::string name;    // its path, or "etcd:" and its key
  std::string origin;  // RuleRunner::kPaths, or another name
  std::string text;    // the newest version, valid or not; empty if the file cannot be read
  std::string fault;   // why the newest version is not in force; empty: it is
  size_t rules = 0;    // in force
};
using RuleFileList = std::shared_ptr<const std::vector<RuleFileStatus>>;

class RuleReporter {
 public:
  virtual ~RuleReporter() = default;
  // A copy of the state of all groups, in the order of their files. Any thread; must not block for long.
  virtual std::vector<GroupStatus> groups() const = 0;
  // The same groups.
  virtual std::vector<GroupFigures> figures() const { return {}; }
  // All files, in the order of their names; never nullptr. Any thread.
  virtual RuleFileList files() const { return std::make_shared<const std::vector<RuleFileStatus>>(); }
  // Why rules are not in force that should be, for people. Any thread.
  virtual std::vector<std::string> troubles() const { return {}; }
};

}  // namespace monitor::rules
