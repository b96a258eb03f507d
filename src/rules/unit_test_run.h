// Runs the unit tests of rules, with promtool's verdicts and texts.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "query/series.h"
#include "rules/rule_file.h"
#include "rules/unit_test_file.h"

namespace monitor::rules {

// What `samples: SPEC` of a test names.
struct RecordedSamples {
  std::shared_ptr<query::SeriesSource> source;
  int64_t start_ms = 0;  // the test's time 0
};
using LoadSamples = std::function<Result<RecordedSamples>(const std::string& spec)>;

// The failures of one test; none: it passed. Each is a text as promtool prints it. `groups`: of all rule files.
std::vector<std::string> run_unit_test(const UnitTestFile& file, const UnitTest& test, const std::vector<Group>& groups,
                                       const LoadSamples& load_samples);

}  // namespace monitor::rules
