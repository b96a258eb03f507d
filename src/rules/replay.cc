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
constexpr size_t kMostChanges = 500'000;
constexpr size_t kMostSamples = 30'000'000;

class GroupReplay {
 public:
  GroupReplay(const Group& group, query::SeriesSource& source, MemoryStore& store, const ReplayOptions& options,
              ReplayReport& report)
      : group_(group), source_(source), store_(store), options_(options), report_(report) {
    states_.resize(group.rules.size());
    failed_.resize(group.rules.size());
  }

  Status run() {
    const int64_t step = group_.interval_ms > 0 ? group_.interval_ms : options_.interval_ms;
    const int64_t first = (options_.from_ms + step - 1) / step * step;
    if ((options_.to_ms - first) / step > kMostEvaluations) {
      return Error(Code::kResourceExhausted,
                   fmt::format("the group {} would be evaluated more than {} times; replay less time", group_.name,
                               kMostEvaluations));
    }
    for (int64_t from = first; from <= options_.to_ms; from += kChunk * step) {
      const int64_t to = std::min(from + (kChunk - 1) * step, options_.to_ms);
      for (size_t i = 0; i < group_.rules.size(); ++i) {
        chunk(i, from, to, step);
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
  Status within_limits() const {
    if (report_.changes.size() <= kMostChanges && report_.samples <= kMostSamples) return {};
    return Error(
        Code::kResourceExhausted,
        fmt::format("the group {} has more than {} changes of alerts, or writes more than {} samples; replay less "
                    "time, or one alert",
                    group_.name, kMostChanges, kMostSamples));
  }

  void fail(size_t index, const Error& error) {
    if (failed_[index]) return;
    failed_[index] = true;
    report_.failures.push_back(fmt::format("{}: {}", group_.rules[index].name, error.message()));
  }

  // Evaluates one rule at all moments from `from` to `to`. The rules before it have written theirs.
  void chunk(size_t index, int64_t from, int64_t to, int64_t step) {
    const Rule& rule = group_.rules[index];
    const int64_t offset = group_.query_offset_ms;
    auto result =
        query::evaluate(*rule.expression, source_, {.start_ms = from - offset, .end_ms = to - offset, .step_ms = step});
    if (!result) return fail(index, result.error());
    std::vector<size_t> next(result->series.size());
    for (int64_t at = from; at <= to; at += step) {
      std::vector<query::ResultSeries> found;
      for (size_t i = 0; i < result->series.size(); ++i) {
        const query::ResultSeries& series = result->series[i];
        if (next[i] >= series.points.size() || series.points[next[i]].time_ms != at - offset) continue;
        found.push_back({series.labels, {series.points[next[i]++]}});
      }
      moment(index, at, std::move(found));
    }
  }

  void moment(size_t index, int64_t at, std::vector<query::ResultSeries> found) {
    const Rule& rule = group_.rules[index];
    RuleState& state = states_[index];
    const EvaluationContext context{.source = &source_,
                                    .at_ms = at,
                                    .external_labels = options_.external_labels,
                                    .external_url = options_.external_url};
    ++report_.evaluations;
    const AlertMap before = state.alerts;
    const auto samples = apply_result(group_, rule, context, std::move(found), state);
    if (!samples) return fail(index, samples.error());
    const int64_t time = at - group_.query_offset_ms;
    SeriesSet outputs;
    report_.samples += samples->size();
    for (const Sample& sample : *samples) {
      (void)store_.append(sample.labels, {time, sample.value});
      outputs.insert(sample.labels);
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
      if (!same) report_.changes.push_back({at, active.alert.state, active.alert, at - active.alert.active_at_ms});
    }
    for (const auto& [labels, active] : before) {
      if (active.alert.state != AlertState::kPending || after.contains(labels)) continue;
      Alert ended = active.alert;
      ended.state = AlertState::kResolved;
      report_.changes.push_back({at, AlertState::kResolved, ended, at - ended.active_at_ms});
    }
  }

  const Group& group_;
  query::SeriesSource& source_;
  MemoryStore& store_;
  const ReplayOptions& options_;
  ReplayReport& report_;
  std::vector<RuleState> states_;
  std::vector<bool> failed_;
};

}  // namespace

Result<ReplayReport> replay(const std::vector<Group>& groups, query::SeriesSource& data, const ReplayOptions& options) {
  MemoryStore store;
  LayeredSource source(data, store);
  ReplayReport report;
  for (const Group& group : groups) {
    if (auto status = GroupReplay(group, source, store, options, report).run(); !status) return status.error();
  }
  std::ranges::stable_sort(report.changes, [](const ReplayChange& a, const ReplayChange& b) {
    return std::tie(a.at_ms, a.alert.labels) < std::tie(b.at_ms, b.alert.labels);
  });
  return report;
}

}  // namespace monitor::rules
