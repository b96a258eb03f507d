// Runs checks in parallel and formats what they found.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "doctor/check.h"

namespace monitor::doctor {

struct CheckResult {
  const Check* check = nullptr;
  Findings findings;
  int64_t took_ns = 0;

  Verdict verdict() const;  // the worst of its findings
};

struct Report {
  std::vector<CheckResult> results;  // in the order of the checks
  // A check did not answer in time, and its thread still runs: the process must end with _exit(), because the thread
  // may use anything that the end of main() destroys.
  bool abandoned = false;

  Verdict verdict() const;
  int count(Verdict verdict) const;  // of findings
};

struct RunOptions {
  int64_t check_timeout_ns = 15'000'000'000;  // for a whole check
  int64_t peer_timeout_ns = 5'000'000'000;    // for one call to a peer
};

// Starts a thread for each check and waits for all of them, at most check_timeout_ns. A check that does not answer by
// then fails with a finding that says so; one that throws fails with the exception's text.
Report run_checks(std::span<const Check* const> checks, std::shared_ptr<const Setup> setup,
                  std::shared_ptr<Peers> peers, std::shared_ptr<Host> host, const RunOptions& options);

// For people: a line for each finding, and one with its remedy.
std::string format_text(const Report& report, bool colour);
std::string format_json(const Report& report, const Setup& setup, const std::string& version, int64_t wall_ns);
std::string format_list(std::span<const Check* const> checks);

}  // namespace monitor::doctor
