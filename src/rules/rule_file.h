// A file of rules in Prometheus' format
// (https://prometheus.io/docs/prometheus/latest/configuration/recording_rules/ and alerting_rules/).
//
//   groups:
//     - name: NAME          unique in the file
//       interval: 15s       default: that of the program
//       limit: 0            how many alerts or series one rule may have; 0: any number
//       query_offset: 0s    expressions are evaluated this long before the evaluation's time
//       eval_delay: 0s      an evaluation waits this much longer for the data of its time
//       labels: {}          of all rules of the group
//       rules:
//         - alert: NAME     or record: METRIC
//           expr: PROMQL
//           for: 5m
//           keep_firing_for: 5m
//           labels: {}      values are templates (template.h)
//           annotations: {}
//
// A file is valid as a whole or not at all. Unknown and repeated keys, and invalid durations, expressions, names and
// templates are faults, each with its line and column.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/ast.h"
#include "query/labels.h"
#include "rules/template.h"
#include "rules/yaml_tree.h"

namespace monitor::rules {

inline constexpr size_t kMaxRules = 10'000;  // of a file

// A label or an annotation of a rule.
struct TemplatedText {
  std::string name;
  std::shared_ptr<const Template> value;

  // As it is in the file.
  const std::string& text() const { return value->text(); }
};

// Immutable; shared by the engine and those who show rules.
struct Rule {
  bool alerting = false;
  std::string name;  // of the alert, or of the recorded metric
  std::string expression_text;
  std::shared_ptr<const query::Expression> expression;
  int64_t for_ms = 0;
  int64_t keep_firing_for_ms = 0;
  // Sorted by name; includes the group's labels. Those of a recording rule are texts, not templates.
  std::vector<TemplatedText> labels;
  std::vector<TemplatedText> annotations;
  Place place;              // of the rule
  Place expression_place;   // of the expression's text
  Place expression_scalar;  // of the YAML scalar that contains it
};

struct Group {
  std::string file;  // how the file is called in messages: its path or its key
  std::string name;
  int64_t interval_ms = 0;  // 0: the default
  size_t limit = 0;
  int64_t query_offset_ms = 0;
  int64_t eval_delay_ms = 0;
  std::vector<std::pair<std::string, std::string>> labels;  // as in the file; those of each rule include them
  std::vector<Rule> rules;
  Place place;

  // "FILE;NAME": unique among all files.
  std::string key() const { return file + ";" + name; }
};

struct RuleFile {
  std::vector<Group> groups;
  std::vector<Fault> faults;  // not empty: the groups must not be used

  size_t rules() const;
  // All faults, one a line, each as "FILE:LINE:COLUMN: TEXT".
  std::string fault_text(std::string_view file) const;
};

// `file`: how the file is called in messages.
RuleFile parse_rule_file(std::string_view text, const std::string& file);

}  // namespace monitor::rules
