// What a check of `monitor doctor` is, and what it finds. A check looks at one property of this host or of its peers,
// states a verdict, and says what to do about a bad one.
//
// Each check is a file in checks/ that defines one `const Check`, and a line in checks.cc. A check runs on a thread of
// its own, beside the other checks, and may block: the runner (run.h) reports a check that does not answer in time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "doctor/host.h"
#include "doctor/peers.h"
#include "doctor/setup.h"

namespace monitor::doctor {

// In the order of severity.
enum class Verdict { kSkipped, kOk, kWarn, kFail };
std::string_view to_string(Verdict verdict);

struct Finding {
  Verdict verdict = Verdict::kOk;
  std::string text;         // what was found, on which object, against which limit
  std::string remedy = {};  // what to do; never empty for kWarn and kFail
};

using Findings = std::vector<Finding>;

inline Finding ok(std::string text) { return {Verdict::kOk, std::move(text)}; }
inline Finding skipped(std::string text) { return {Verdict::kSkipped, std::move(text)}; }
inline Finding warn(std::string text, std::string remedy) {
  return {Verdict::kWarn, std::move(text), std::move(remedy)};
}
inline Finding fail(std::string text, std::string remedy) {
  return {Verdict::kFail, std::move(text), std::move(remedy)};
}

// What a check may look at. All of it is thread-safe: checks run at the same time.
struct Context {
  const Setup& setup;
  Peers& peers;
  Host& host;
  int64_t timeout_ns;  // for one call to a peer
};

struct Check {
  std::string_view name;
  std::string_view about;  // what it checks, for --list
  Findings (*run)(const Context& context);
};

// All checks, in the order of the report.
const std::vector<const Check*>& all_checks();

}  // namespace monitor::doctor
