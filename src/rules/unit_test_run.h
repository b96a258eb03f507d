// Runs the unit tests of rules, with promtool's verdicts and texts.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/result.h"
#include "rules/memory_store.h"
#include "rules/rule_file.h"
#include "rules/unit_test_file.h"

namespace monitor::rules {

// Puts the samples of `samples: SPEC` into the store; returns the time that is the test's 0, in milliseconds.
using LoadSamples = std::function<Result<int64_t>(const std::string& spec, MemoryStore& store)>;

// The failures of one test; none: it passed. Each is a text as promtool prints it. `groups`: of all rule files.
std::vector<std::string> run_unit_test(const UnitTestFile& file, const UnitTest& test, const std::vector<Group>& groups,
                                       const LoadSamples& load_samples);

}  // namespace monitor::rules
