#include "rules/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "query/evaluator.h"
#include "rules/evaluation.h"
#include "rules/layered_source.h"
#include "rules/memory_store.h"

namespace monitor::rules {

namespace {

constexpr int64_t kMostEvaluations = 1'000'000;  // of one group
// How many evaluations of a rule are computed at once.
constexpr int64_t kChunk = 2'000;
// Evaluations between two calls of the check.
constexpr int64_t kCheckEvery = 64;

class GroupReplay {
 public:
  GroupReplay(const Group& group, query::SeriesSource& source, MemoryStore& store, const ReplayOptions& options,
              ReplayReport& report, size_t& bytes)
      : group_(group), source_(source), store_(store), options_(options), report_(report), bytes_(bytes) {
    states_.resize(group.rules.size());
    failed_.resize(group.rules.size());
  }

  Status run() {
    const int64_t interval = group_.interval_ms > 0 ? group_.interval_ms : options_.interval_ms;
    const int64_t step = step_for(interval);
    report_.groups.push_back({group_.name, group_.file, interval, step});
    const int64_t first = (options_.from_ms + step - 1) / step * step;
    if ((options_.to_ms - first) / step > kMostEvaluations) {
      return Error(Code::kResourceExhausted,
                   fmt::format("the group {} would be evaluated more than {} times; replay less time", group_.name,
                               kMostEvaluations));
    }
    for (int64_t from = first; from <= options_.to_ms; from += kChunk * step) {
      const int64_t to = std::min(from + (kChunk - 1) * step, options_.to_ms);
      for (size_t i = 0; i < group_.rules.size(); ++i) {
        if (auto status = chunk(i, from, to, step); !status) return status;
        if (auto status = within_limits(); !status) return status;
      }
    }
    for (const RuleState& state : states_) {
      for (const auto& [labels, active] : state.alerts) {
        if (active.alert.state != AlertState::kResolved) report_.active.push_back(active.alert);
      }
    }
    return {};
  }

 private:
  int64_t step_for(int64_t interval) const {
    const int64_t most = options_.most_evaluations;
    if (most <= 0) return interval;
    const int64_t wanted = (options_.to_ms - options_.from_ms) / interval + 1;
    return interval * ((wanted + most - 1) / most);
  }

  Status check() const { return options_.query.limits.check ? options_.query.limits.check() : Status(); }

  Status within_limits() const {
    if (bytes_ > options_.most_bytes) {
      return Error(Code::kResourceExhausted,
                   fmt::format("the alerts of the group {} would need more than {} MiB; replay less time, or one alert",
                               group_.name, options_.most_bytes >> 20U));
    }
    if (report_.changes.size() <= options_.most_changes && report_.samples <= options_.most_samples) return {};
    return Error(
        Code::kResourceExhausted,
        fmt::format("the group {} has more than {} changes of alerts, or writes more than {} samples; replay less "
                    "time, or one alert",
                    group_.name, options_.most_changes, options_.most_samples));
  }

  void fail(size_t index, const Error& error) {
    if (failed_[index]) return;
    failed_[index] = true;
    report_.failures.push_back(fmt::format("{}: {}", group_.rules[index].name, error.message()));
  }

  // Evaluates one rule at all moments from `from` to `to`. The rules before it have written theirs.
  Status chunk(size_t index, int64_t from, int64_t to, int64_t step) {
    const Rule& rule = group_.rules[index];
    const int64_t offset = group_.query_offset_ms;
    auto result = query::evaluate(*rule.expression, source_,
                                  {.start_ms = from - offset, .end_ms = to - offset, .step_ms = step}, options_.query);
    if (!result) {
      fail(index, result.error());
      return check();
    }
    std::vector<size_t> next(result->series.size());
    for (int64_t at = from; at <= to; at += step) {
      if ((at - from) / step % kCheckEvery == 0) {
        if (auto status = check(); !status) return status;
        if (auto status = within_limits(); !status) return status;
      }
      std::vector<query::ResultSeries> found;
      for (size_t i = 0; i < result->series.size(); ++i) {
        const query::ResultSeries& series = result->series[i];
        if (next[i] >= series.points.size() || series.points[next[i]].time_ms != at - offset) continue;
        found.push_back({series.labels, {series.points[next[i]++]}});
      }
      moment(index, at, std::move(found));
    }
    return {};
  }

  void moment(size_t index, int64_t at, std::vector<query::ResultSeries> found) {
    const Rule& rule = group_.rules[index];
    RuleState& state = states_[index];
    const EvaluationContext context{.source = &source_,
                                    .at_ms = at,
                                    .external_labels = options_.external_labels,
                                    .external_url = options_.external_url,
                                    .options = options_.query,
                                    .max_text_bytes = options_.most_text_bytes};
    ++report_.evaluations;
    const AlertMap before = state.alerts;
    const auto samples = apply_result(group_, rule, context, std::move(found), state);
    if (!samples) {
      compare(before, state.alerts, at);  // above its limit, a rule loses its alerts
      return fail(index, samples.error());
    }
    const int64_t time = at - group_.query_offset_ms;
    SeriesSet outputs;
    report_.samples += samples->size();
    for (const Sample& sample : *samples) {
      (void)store_.append(sample.labels, {time, sample.value});
      outputs.insert(sample.labels);
      if (!state.outputs.contains(sample.labels)) bytes_ += 2 * sample.labels.bytes();
    }
    for (const query::Labels& labels : state.outputs) {
      if (!outputs.contains(labels)) (void)store_.append(labels, {time, query::stale_marker()});
    }
    state.outputs = std::move(outputs);
    compare(before, state.alerts, at);
  }

  void compare(const AlertMap& before, const AlertMap& after, int64_t at) {
    for (const auto& [labels, active] : after) {
      const auto old = before.find(labels);
      const bool same = old != before.end() && old->second.alert.state == active.alert.state &&
                        old->second.alert.active_at_ms == active.alert.active_at_ms;
      if (!same) add({at, active.alert.state, active.alert, at - active.alert.active_at_ms});
    }
    for (const auto& [labels, active] : before) {
      if (active.alert.state == AlertState::kResolved || after.contains(labels)) continue;
      Alert ended = active.alert;
      ended.state = AlertState::kResolved;
      add({at, AlertState::kResolved, ended, at - ended.active_at_ms});
    }
  }

  void add(ReplayChange change) {
    const Alert& alert = change.alert;
    bytes_ += sizeof change + alert.labels.bytes() + alert.group.size() + alert.expression.size();
    for (const auto& [name, text] : alert.annotations) bytes_ += sizeof name + sizeof text + name.size() + text.size();
    report_.changes.push_back(std::move(change));
  }

  const Group& group_;
  query::SeriesSource& source_;
  MemoryStore& store_;
  const ReplayOptions& options_;
  ReplayReport& report_;
  std::vector<RuleState> states_;
  std::vector<bool> failed_;
  size_t& bytes_;  // of all groups
};

}  // namespace

Result<ReplayReport> replay(const std::vector<Group>& groups, query::SeriesSource& data, const ReplayOptions& options) {
  MemoryStore store;
  LayeredSource source(data, store);
  ReplayReport report;
  size_t bytes = 0;
  for (const Group& group : groups) {
    if (auto done = GroupReplay(group, source, store, options, report, bytes).run(); !done) return done.error();
  }
  std::ranges::stable_sort(report.changes, [](const ReplayChange& a, const ReplayChange& b) {
    return std::tie(a.at_ms, a.alert.labels) < std::tie(b.at_ms, b.alert.labels);
  });
  return report;
}

std::vector<ReplayEpisode> episodes_of(const ReplayReport& report) {
  std::vector<ReplayEpisode> episodes;
  std::map<std::pair<std::string, query::Labels>, size_t> open;
  for (const ReplayChange& change : report.changes) {
    const Alert& alert = change.alert;
    std::pair<std::string, query::Labels> key(alert.group, alert.labels);
    auto found = open.find(key);
    if (change.state == AlertState::kResolved) {
      if (found == open.end()) continue;
      episodes[found->second].resolved_at_ms = change.at_ms;
      open.erase(found);
      continue;
    }
    if (found == open.end()) {
      found = open.emplace(std::move(key), episodes.size()).first;
      episodes.push_back({.active_at_ms = alert.active_at_ms});
    }
    ReplayEpisode& episode = episodes[found->second];
    episode.alert = alert;
    if (change.state == AlertState::kFiring) episode.fired_at_ms = change.at_ms;
  }
  return episodes;
}

bool keep_only_alert(const std::string& alert, std::vector<Group>& groups) {
  bool found = false;
  for (Group& group : groups) {
    std::erase_if(group.rules, [&alert](const Rule& rule) { return rule.alerting && rule.name != alert; });
    found = found || std::ranges::any_of(group.rules, &Rule::alerting);
  }
  return found;
}

}  // namespace monitor::rules
