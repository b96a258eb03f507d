// Compares rules with the series that exist: finds those that can never do what they are for.
#pragma once

#include <cstdint>
#include <string>
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
};

// What is suspicious about the rules of a file without looking at any series: rules that are there twice, a `for` that
// is shorter than the interval.
std::vector<Fault> check_rules(const std::vector<Group>& groups, const CheckOptions& options);

// What cannot be with these series: metrics and labels that nobody has, ranges that hold fewer than two samples,
// expressions that fail. `recorded`: names that rules of any file record. Errors: those of the source.
Result<std::vector<Fault>> check_against_series(const std::vector<Group>& groups,
                                                const std::vector<std::string>& recorded, query::SeriesSource& source,
                                                const CheckOptions& options);

}  // namespace monitor::rules
