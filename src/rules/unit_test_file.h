// A file of unit tests for rules, in promtool's format
// (https://prometheus.io/docs/prometheus/latest/configuration/unit_testing_rules/), and one addition: a test may have
// `samples: log:ADDRESS FROM..TO`, the recorded metrics of a log, instead of or beside input_series. Its time 0 is then
// FROM. What is known of agents is noted as series named like its function: agent_state{agent="a", state="gone"}.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "query/labels.h"
#include "query/series_notation.h"
#include "rules/yaml_tree.h"

namespace monitor::rules {

struct InputSeries {
  query::Labels labels;
  query::SampleSequence values;
};

struct ExpectedAlert {
  query::Labels labels;  // without alertname
  std::map<std::string, std::string> annotations;
};

struct AlertTest {
  int64_t eval_time_ms = 0;
  std::string alert;
  std::vector<ExpectedAlert> expected;
};

struct ExpectedSample {
  std::string labels;  // as written in the file
  double value = 0;
};

struct ExpressionTest {
  std::string expression;
  int64_t eval_time_ms = 0;
  std::vector<ExpectedSample> expected;
};

struct UnitTest {
  std::string name;
  int64_t interval_ms = 0;
  std::vector<InputSeries> input;
  std::string samples;  // "log:ADDRESS FROM..TO"
  std::vector<AlertTest> alerts;
  std::vector<ExpressionTest> expressions;
  query::Labels external_labels;
  std::string external_url;
  int64_t start_ms = 0;
};

struct UnitTestFile {
  std::vector<std::string> rule_files;  // patterns, relative to the file's folder
  int64_t evaluation_interval_ms = 60'000;
  std::vector<std::string> group_order;
  bool fuzzy_compare = false;
  std::vector<UnitTest> tests;
  std::vector<Fault> faults;  // not empty: the tests must not be run
};

UnitTestFile parse_unit_tests(std::string_view text);

}  // namespace monitor::rules
