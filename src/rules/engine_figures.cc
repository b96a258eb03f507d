// What the engine shows of its groups.
#include <algorithm>
#include <cstdint>
#include <mutex>
#include <utility>

#include "rules/engine_impl.h"

namespace monitor::rules {

namespace {

RuleStatus status_of(const Rule& rule, const RuleState& state) {
  RuleStatus status{.alerting = rule.alerting,
                    .name = rule.name,
                    .expression = rule.expression_text,
                    .for_ms = rule.for_ms,
                    .keep_firing_for_ms = rule.keep_firing_for_ms,
                    .error = state.last_error,
                    .evaluated_at_ms = state.evaluated_ms,
                    .evaluation_seconds = static_cast<double>(state.took_ns) / 1e9};
  for (const TemplatedText& one : rule.labels) status.labels.set(one.name, one.text());
  for (const TemplatedText& one : rule.annotations) status.annotations.emplace_back(one.name, one.text());
  for (const auto& [labels, active] : state.alerts) {
    if (active.alert.state != AlertState::kResolved) status.alerts.push_back(active.alert);
  }
  std::ranges::sort(status.alerts, {}, &Alert::labels);
  return status;
}

}  // namespace

void Engine::count_alerts() {
  size_t pending = 0;
  size_t firing = 0;
  int64_t oldest = INT64_MAX;
  for (const auto& [key, one] : groups_) {
    oldest = std::min(oldest, one->state.evaluated_ms);
    for (const RuleState& rule : one->state.rules) {
      for (const auto& [labels, active] : rule.alerts) {
        pending += active.alert.state == AlertState::kPending ? 1 : 0;
        firing += active.alert.state == AlertState::kFiring ? 1 : 0;
      }
    }
  }
  metrics_->pending.set(static_cast<double>(pending));
  metrics_->firing.set(static_cast<double>(firing));
  figures_->oldest_ms = groups_.empty() ? 0 : oldest;
}

std::vector<GroupFigures> Engine::figures() const {
  const int64_t watermark_ms = figures_->watermark_ms;
  const std::lock_guard lock(mutex_);
  std::vector<GroupFigures> all;
  for (const auto& [key, one] : groups_) {
    const int64_t at_ms = one->state.evaluated_ms;
    const auto failing = std::ranges::count(one->state.rules, RuleHealth::kFailed, &RuleState::health);
    all.push_back({.name = one->group.name,
                   .file = one->group.file,
                   .rules = one->group.rules.size(),
                   .failing = static_cast<size_t>(failing),
                   .interval_ms = one->interval_ms,
                   .evaluated_at_ms = at_ms,
                   .evaluation_seconds = static_cast<double>(one->took_ns) / 1e9,
                   .delay_seconds = at_ms == 0 ? 0 : std::max(0.0, static_cast<double>(watermark_ms - at_ms) / 1000)});
  }
  return all;
}

std::set<std::string> Engine::group_keys() const {
  std::set<std::string> keys;
  for (const auto& [key, running] : groups_) keys.insert(key);
  return keys;
}

std::vector<GroupStatus> Engine::groups() const {
  const std::lock_guard lock(mutex_);
  std::vector<GroupStatus> all;
  for (const auto& [key, running] : groups_) {
    GroupStatus group{.name = running->group.name,
                      .file = running->group.file,
                      .interval_ms = running->interval_ms,
                      .limit = running->group.limit,
                      .rules = {},
                      .evaluated_at_ms = running->state.evaluated_ms,
                      .evaluation_seconds = static_cast<double>(running->took_ns) / 1e9};
    for (size_t i = 0; i < running->group.rules.size(); ++i) {
      group.rules.push_back(status_of(running->group.rules[i], running->state.rules[i]));
    }
    all.push_back(std::move(group));
  }
  return all;
}

}  // namespace monitor::rules
