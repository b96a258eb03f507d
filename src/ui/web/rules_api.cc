#include "ui/web/rules_api.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/text.h"
#include "metrics/catalog/collecting_hint.h"
#include "rules/layered_source.h"
#include "rules/replay.h"
#include "rules/rule_check.h"
#include "ui/web/rule_json.h"
#include "ui/web/values_json.h"
#include "views/history/series_source.h"
#include "views/unusual/scored_source.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kAtOnce = 3;
constexpr size_t kWaiting = 20;
// Evaluations of a group: a week at the usual 15 s is about 40,000.
constexpr int64_t kMostEvaluations = 45'000;
constexpr size_t kMostChanges = 50'000;
constexpr size_t kMostSamples = 5'000'000;
constexpr size_t kMostBytes = size_t{256} << 20;
constexpr size_t kMostTextBytes = size_t{16} << 20;
constexpr size_t kMostEpisodes = 5'000;
constexpr size_t kMostAlertsBytes = size_t{16} << 20;  // of them in an answer
constexpr size_t kMostGroupsBytes = size_t{4} << 20;   // of the rules in the answer to a check
constexpr int64_t kAheadMs = int64_t{6} * 3600 * 1000;
constexpr int64_t kWindowMs = 3'600'000;

// Everything that a rule may read.
class RuleData {
 public:
  RuleData(const QueryPool::Run& run, const PromOptions& options)
      : stored_(run.reader, {.max_points = options.max_samples, .check = run.check}, run.facts),
        layered_(stored_, run.results),
        scored_(layered_, {.reader = &run.reader,
                           .board = options.scores,
                           .check = run.check,
                           .ahead_ms = kAheadMs,
                           .max_points = options.max_samples}) {}

  query::SeriesSource& source() { return scored_; }

 private:
  history::HistorySource stored_;
  rules::LayeredSource layered_;
  unusual::ScoredSource scored_;
};

std::vector<std::string> recorded_by(const std::vector<rules::Group>& groups) {
  std::vector<std::string> names;
  for (const rules::Group& group : groups) {
    for (const rules::Rule& rule : group.rules) {
      if (!rule.alerting) names.push_back(rule.name);
    }
  }
  return names;
}

// How far the history reaches, of any agent.
struct Reach {
  std::string json;      // a list of {"resolution","from","to"}
  int64_t first_ms = 0;  // 0: it is empty
};

Result<Reach> reach_of(const QueryPool::Run& run) {
  const auto agents = run.reader.agents();
  if (!agents) return agents.error();
  std::map<Resolution, history::Extent> all;
  for (const history::KnownAgent& agent : *agents) {
    if (Status may = run.check(); !may) return may.error();
    const auto extents = run.reader.extents(agent.name);
    if (!extents) return extents.error();
    for (const history::Extent& one : *extents) {
      const auto [found, added] = all.emplace(one.resolution, one);
      found->second.first_ns = std::min(found->second.first_ns, one.first_ns);
      found->second.last_ns = std::max(found->second.last_ns, one.last_ns);
    }
  }
  Reach reach;
  std::string& out = reach.json;
  for (const auto& [resolution, one] : all) {
    const int64_t first_ms = one.first_ns / kNanosPerMilli;
    reach.first_ms = reach.first_ms == 0 ? first_ms : std::min(reach.first_ms, first_ms);
    out += fmt::format(R"({}{{"resolution":"{}","from":{},"to":{}}})", out.empty() ? "" : ",", to_string(resolution),
                       seconds_json(one.first_ns), seconds_json(one.last_ns));
  }
  out = "[" + out + "]";
  return reach;
}

Reply invalid_file(const rules::RuleFile& file) {
  return json_reply(fmt::format(R"({{"error":"the rules are not valid; nothing was replayed","problems":{}}})",
                                problems_json(file.faults, false)),
                    422);
}

}  // namespace

struct RulesApi::ReplayRequest {
  std::string text;
  std::string alert;  // empty: all
  int64_t from_ms = 0;
  int64_t to_ms = 0;
};

RulesApi::RulesApi(EventLoop& loop, const PromOptions& options, const std::string& history_path, ConfigService& config,
                   BlockingExecutor& config_executor, telemetry::Registry& registry)
    : loop_(loop),
      options_(options),
      config_executor_(config_executor),
      documents_(config),
      pool_(
          loop,
          {.history_path = history_path,
           .name = "rule_tests",
           .one = "the test",
           .advice = "replay a shorter time, or one alert",
           .at_once = kAtOnce,
           .waiting = kWaiting},
          [](const Error& error) { return error_reply(error); }, registry) {}

rules::RuleFileList RulesApi::files() const {
  return options_.rules == nullptr ? std::make_shared<const std::vector<rules::RuleFileStatus>>()
                                   : options_.rules->files();
}

void RulesApi::check(const Call& call) {
  pool_.submit(call.responder, call.request.address_group, options_.timeout_ns,
               [this, text = call.request.body, series = call.query.text("compare") == "series"](
                   const QueryPool::Run& run) { return check_text(text, series, run); });
}

Reply RulesApi::check_text(const std::string& text, bool with_series, const QueryPool::Run& run) const {
  const rules::RuleFile file = rules::parse_rule_file(text, "");
  std::vector<rules::Fault> warnings;
  std::string why;  // the series were not looked at
  if (file.faults.empty()) {
    const rules::CheckOptions options{.now_ms = loop_.clock().wall_ns() / kNanosPerMilli,
                                      .window_ms = kWindowMs,
                                      .text = text,
                                      .hint = metrics::collecting_hint};
    warnings = rules::check_rules(file.groups, options);
    if (with_series) {
      RuleData data(run, options_);
      const auto found = rules::check_against_series(file.groups, recorded_by(file.groups), data.source(), options);
      if (found) warnings.insert(warnings.end(), found->begin(), found->end());
      if (!found) why = found.error().message();
    }
    std::ranges::stable_sort(warnings, [](const rules::Fault& a, const rules::Fault& b) {
      return std::tie(a.place.line, a.place.column) < std::tie(b.place.line, b.place.column);
    });
  }
  const bool valid = file.faults.empty();
  std::string groups = rule_groups_json(file.groups);
  if (groups.size() > kMostGroupsBytes) groups = "[]";
  return json_reply(fmt::format(R"({{"valid":{},"problems":{},"groups":{},"compared":{},"trouble":{}}})", valid,
                                valid ? problems_json(warnings, true) : problems_json(file.faults, false), groups,
                                valid && with_series && why.empty(), json_quote(why)));
}

void RulesApi::replay(const Call& call) {
  const int64_t now_ns = loop_.clock().wall_ns();
  ReplayRequest request{.text = call.request.body,
                        .alert = call.query.text("alert"),
                        .from_ms = call.query.time("from").value_or(now_ns) / kNanosPerMilli,
                        .to_ms = call.query.time("to").value_or(now_ns) / kNanosPerMilli};
  if (request.from_ms >= request.to_ms) {
    call.reply(error_reply(400, "from must be before to"));
    return;
  }
  pool_.submit(call.responder, call.request.address_group, options_.timeout_ns,
               [this, request = std::move(request)](const QueryPool::Run& run) { return replay_text(request, run); });
}

Reply RulesApi::replay_text(const ReplayRequest& request, const QueryPool::Run& run) const {
  rules::RuleFile file = rules::parse_rule_file(request.text, "");
  if (!file.faults.empty()) return invalid_file(file);
  if (!request.alert.empty() && !rules::keep_only_alert(request.alert, file.groups)) {
    return error_reply(400, fmt::format("alert: no alerting rule has the name {}", json_quote(request.alert)));
  }
  const auto reach = reach_of(run);
  if (!reach) return error_reply(reach.error());
  // Nothing can be said of the time before, and what is left can be evaluated more often.
  rules::ReplayOptions options{.from_ms = std::max(request.from_ms, reach->first_ms), .to_ms = request.to_ms};
  options.query.limits.max_samples = options_.max_samples;
  options.query.limits.max_bytes = options_.max_bytes;
  options.query.limits.check = run.check;
  options.most_evaluations = kMostEvaluations;
  options.most_changes = kMostChanges;
  options.most_samples = kMostSamples;
  options.most_bytes = kMostBytes;
  options.most_text_bytes = kMostTextBytes;
  RuleData data(run, options_);
  const auto report = rules::replay(file.groups, data.source(), options);
  if (!report) return error_reply(report.error());
  const ReplayJson json = replay_json(*report, kMostEpisodes, kMostAlertsBytes);
  return json_reply(fmt::format(
      R"({{"from":{},"to":{},"history":{},"groups":{},"evaluations":{},"fired":{},"left_out":{},"failures":{},)"
      R"("alerts":{}}})",
      seconds_json(request.from_ms * kNanosPerMilli), seconds_json(request.to_ms * kNanosPerMilli), reach->json,
      replayed_groups_json(report->groups), report->evaluations, json.fired, json.left_out,
      texts_json(report->failures), json.alerts));
}

}  // namespace monitor::analysis::web
