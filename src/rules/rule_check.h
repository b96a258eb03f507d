// Finds rules that can never do what they are for: from the rules alone, and by comparing them with the series that
// exist.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "query/series.h"
#include "rules/rule_file.h"
#include "rules/yaml_tree.h"

namespace monitor::rules {

struct CheckOptions {
  int64_t now_ms = 0;
  int64_t window_ms = 3'600'000;  // series that had samples in this time exist
  int64_t interval_ms = 15'000;   // of groups that name none
  std::string_view text = {};     // of the file: faults then have the place within the expression
  // What to say about a metric that nobody has; empty: the most similar name.
  std::function<std::string(const std::string& metric)> hint = {};
};

// What is suspicious about the rules of a file without looking at any series: rules that are there twice, a `for` that
// is shorter than the interval, shares compared with more than 1, subqueries shorter than two of their steps.
std::vector<Fault> check_rules(const std::vector<Group>& groups, const CheckOptions& options);

// What cannot be with these series: metrics, labels and values that nobody has, labels of templates that no result has,
// ranges that hold fewer than two samples, expressions that fail. `recorded`: names that rules of any file record.
// Errors: those of the source.
Result<std::vector<Fault>> check_against_series(const std::vector<Group>& groups,
                                                const std::vector<std::string>& recorded, query::SeriesSource& source,
                                                const CheckOptions& options);

// How far the rules look back from the time of an evaluation.
int64_t reach_ms(const std::vector<Group>& groups);

// Whether the rules, or the queries in their templates, ask for what is known of agents.
bool asks_of_agents(const std::vector<Group>& groups);

// The place of a byte of the rule's expression in the file's text.
Place place_in_expression(const Rule& rule, std::string_view file_text, size_t byte);

}  // namespace monitor::rules
