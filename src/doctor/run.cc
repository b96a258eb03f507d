#include "doctor/run.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "base/escape.h"
#include "base/time_format.h"

namespace monitor::doctor {

namespace {

using Time = std::chrono::steady_clock;

// Shared by the runner and the threads of the checks, which may outlive the runner.
struct Shared {
  std::shared_ptr<const Setup> setup;
  std::shared_ptr<Peers> peers;
  std::shared_ptr<Host> host;
  int64_t peer_timeout_ns = 0;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::optional<CheckResult>> results;
  size_t open = 0;
};

Findings findings_of(const Check& check, const Context& context) {
  try {
    Findings found = check.run(context);
    if (found.empty()) found.push_back(skipped("nothing to check"));
    return found;
  } catch (const std::exception& fault) {
    return {fail(fmt::format("the check ended with an error of its own: {}", fault.what()),
                 "report this as a bug, with the output of `monitor doctor --format json`")};
  }
}

void run_one(const std::shared_ptr<Shared>& shared, const Check& check, size_t index) {
  const auto begin = Time::now();
  CheckResult result{&check, {}, 0};
  result.findings = findings_of(check, {*shared->setup, *shared->peers, *shared->host, shared->peer_timeout_ns});
  result.took_ns = std::chrono::nanoseconds(Time::now() - begin).count();
  const std::lock_guard lock(shared->mutex);
  shared->results[index] = std::move(result);
  --shared->open;
  shared->changed.notify_all();
}

std::string padded(std::string_view text, size_t width) { return fmt::format("{:<{}}", text, width); }

std::string_view colour_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::kOk:
      return "\x1b[32m";
    case Verdict::kWarn:
      return "\x1b[33m";
    case Verdict::kFail:
      return "\x1b[31m";
    case Verdict::kSkipped:
      break;
  }
  return "\x1b[2m";
}

Verdict worst(const Findings& findings) {
  const auto found = std::ranges::max_element(findings, {}, &Finding::verdict);
  return found == findings.end() ? Verdict::kSkipped : found->verdict;
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kSkipped:
      return "skipped";
    case Verdict::kOk:
      return "ok";
    case Verdict::kWarn:
      return "warn";
    case Verdict::kFail:
      return "fail";
  }
  return "fail";
}

Verdict CheckResult::verdict() const { return worst(findings); }

Verdict Report::verdict() const {
  Verdict result = Verdict::kSkipped;
  for (const CheckResult& one : results) result = std::max(result, one.verdict());
  return result;
}

int Report::count(Verdict verdict) const {
  int64_t sum = 0;
  for (const CheckResult& one : results) sum += std::ranges::count(one.findings, verdict, &Finding::verdict);
  return static_cast<int>(sum);
}

Report run_checks(std::span<const Check* const> checks, std::shared_ptr<const Setup> setup,
                  std::shared_ptr<Peers> peers, std::shared_ptr<Host> host, const RunOptions& options) {
  const auto shared = std::make_shared<Shared>();
  shared->setup = std::move(setup);
  shared->peers = std::move(peers);
  shared->host = std::move(host);
  shared->peer_timeout_ns = options.peer_timeout_ns;
  shared->results.resize(checks.size());
  shared->open = checks.size();
  const auto deadline = Time::now() + std::chrono::nanoseconds(options.check_timeout_ns);
  for (size_t i = 0; i < checks.size(); ++i) {
    std::thread([shared, check = checks[i], i] { run_one(shared, *check, i); }).detach();
  }
  std::unique_lock lock(shared->mutex);
  shared->changed.wait_until(lock, deadline, [&] { return shared->open == 0; });
  Report report;
  report.abandoned = shared->open > 0;
  for (size_t i = 0; i < checks.size(); ++i) {
    if (shared->results[i]) {
      report.results.push_back(std::move(*shared->results[i]));
      continue;
    }
    const std::string limit = format_duration(options.check_timeout_ns);
    report.results.push_back({checks[i],
                              {fail(fmt::format("no answer within {}", limit),
                                    "a disk, a mount or a peer hangs: look at the other checks and at the kernel's log "
                                    "(dmesg); --timeout gives the check more time")},
                              options.check_timeout_ns});
  }
  return report;
}

std::string format_text(const Report& report, bool colour) {
  size_t width = 0;
  for (const CheckResult& result : report.results) width = std::max(width, result.check->name.size());
  std::string text;
  for (const CheckResult& result : report.results) {
    for (const Finding& finding : result.findings) {
      const std::string verdict = padded(to_string(finding.verdict), 7);
      text += colour ? fmt::format("{}{}\x1b[0m", colour_of(finding.verdict), verdict) : verdict;
      text += fmt::format("  {}  {}\n", padded(result.check->name, width), printable(finding.text));
      if (!finding.remedy.empty())
        text += fmt::format("{:9}{}  -> {}\n", "", padded("", width), printable(finding.remedy));
    }
  }
  text += fmt::format("{} ok, {} warnings, {} failures, {} skipped\n", report.count(Verdict::kOk),
                      report.count(Verdict::kWarn), report.count(Verdict::kFail), report.count(Verdict::kSkipped));
  return text;
}

std::string format_json(const Report& report, const Setup& setup, const std::string& version, int64_t wall_ns) {
  using Json = nlohmann::ordered_json;
  Json checks = Json::array();
  for (const CheckResult& result : report.results) {
    Json findings = Json::array();
    for (const Finding& finding : result.findings) {
      findings.push_back({{"verdict", std::string(to_string(finding.verdict))},
                          {"text", printable(finding.text)},
                          {"remedy", printable(finding.remedy)}});
    }
    checks.push_back({{"name", std::string(result.check->name)},
                      {"verdict", std::string(to_string(result.verdict()))},
                      {"seconds", static_cast<double>(result.took_ns / 1'000'000) / 1000},
                      {"findings", std::move(findings)}});
  }
  const Json json = {{"version", version},
                     {"time", format_rfc3339(wall_ns, 3)},
                     {"setup", printable(setup.source)},
                     {"verdict", std::string(to_string(report.verdict()))},
                     {"checks", std::move(checks)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::string format_list(std::span<const Check* const> checks) {
  size_t width = 0;
  for (const Check* check : checks) width = std::max(width, check->name.size());
  std::string text;
  for (const Check* check : checks) text += fmt::format("{}  {}\n", padded(check->name, width), check->about);
  return text;
}

}  // namespace monitor::doctor
