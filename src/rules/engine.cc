#include "rules/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <queue>
#include <utility>

#include "base/hash64.h"
#include "base/log.h"
#include "rules/engine_impl.h"
#include "rules/group_evaluation.h"
#include "rules/layered_source.h"

namespace monitor::rules {

namespace {

int64_t floor_to(int64_t time, int64_t step, int64_t offset) {
  const int64_t rest = (time - offset) % step;
  return time - (rest < 0 ? rest + step : rest);
}

}  // namespace

std::vector<std::string> rule_identities(const Group& group) {
  std::vector<std::string> identities;
  std::map<std::string, int> same;
  for (const Rule& rule : group.rules) {
    std::string identity = (rule.alerting ? "alert:" : "record:") + rule.name;
    for (const TemplatedText& one : rule.labels) identity += "\n" + one.name + "=" + one.text();
    const int index = same[identity]++;
    identities.push_back(index == 0 ? identity : fmt::format("{}\n#{}", identity, index));
  }
  return identities;
}

Engine::Engine(const EngineOptions& options, query::SeriesSource& data, ResultStore& store, const Clock& clock,
               telemetry::Registry& registry)
    : options_(options), data_(data), store_(store), clock_(clock), metrics_(std::make_unique<Metrics>(registry)) {
  registry.gauge_from("monitor_rules_delay_seconds", "How far the group that is furthest behind is behind the data.",
                      [figures = figures_] {
                        const int64_t oldest = figures->oldest_ms;
                        return oldest == 0 ? 0.0 : static_cast<double>(figures->watermark_ms - oldest) / 1000;
                      });
}

Engine::~Engine() = default;

Status Engine::replace(std::vector<Group> groups) {
  std::map<std::string, std::unique_ptr<Running>> next;
  size_t rules = 0;
  for (Group& group : groups) {
    rules += group.rules.size();
    Status status;
    auto running = begin(std::move(group), groups_, status);
    if (!status) return status;
    const std::string key = running->group.key();
    next[key] = std::move(running);
  }
  for (const auto& [key, was] : groups_) {
    const auto now = next.find(key);
    if (auto status = retire(*was, now == next.end() ? nullptr : now->second.get()); !status) return status;
  }
  metrics_->groups.set(static_cast<double>(next.size()));
  metrics_->rules.set(static_cast<double>(rules));
  {
    const std::lock_guard lock(mutex_);
    groups_ = std::move(next);
  }
  count_alerts();
  return {};
}

std::unique_ptr<Engine::Running> Engine::begin(Group group, const std::map<std::string, std::unique_ptr<Running>>& old,
                                               Status& status) {
  auto running = std::make_unique<Running>();
  running->group = std::move(group);
  running->interval_ms = running->group.interval_ms > 0 ? running->group.interval_ms : options_.interval_ms;
  const std::string key = running->group.key();
  running->offset_ms = static_cast<int64_t>(hash64(HashKey{}, key) % static_cast<uint64_t>(running->interval_ms));
  running->identities = rule_identities(running->group);
  running->state.rules.resize(running->group.rules.size());
  running->stored.resize(running->group.rules.size());
  const auto before = old.find(key);
  if (before == old.end()) {
    status = restore(*running);
    return running;
  }
  const Running& was = *before->second;
  running->state.evaluated_ms = was.state.evaluated_ms;
  for (size_t i = 0; i < running->identities.size(); ++i) {
    const auto same = std::ranges::find(was.identities, running->identities[i]);
    if (same == was.identities.end()) continue;
    const auto index = static_cast<size_t>(same - was.identities.begin());
    running->state.rules[i] = was.state.rules[index];
    running->stored[i] = was.stored[index];
  }
  return running;
}

// Ends the rules of a group that are not in what follows it: their series, and their alerts for the sink.
Status Engine::retire(const Running& was, const Running* now) {
  std::vector<Alert> ended;
  std::vector<query::Labels> outputs;
  for (size_t i = 0; i < was.identities.size(); ++i) {
    if (now != nullptr && std::ranges::find(now->identities, was.identities[i]) != now->identities.end()) continue;
    const RuleState& state = was.state.rules[i];
    outputs.insert(outputs.end(), state.outputs.begin(), state.outputs.end());
    for (const auto& [labels, active] : state.alerts) {
      if (active.alert.state != AlertState::kFiring) continue;
      ended.push_back(active.alert);
      ended.back().state = AlertState::kResolved;
      ended.back().resolved_at_ms = was.state.evaluated_ms;
    }
  }
  Status status = store_.begin();
  if (!status) return status;
  for (const query::Labels& labels : outputs) {
    if (status) status = store_.append(labels, {was.state.evaluated_ms + 1, query::stale_marker()});
  }
  if (status && now == nullptr) status = store_.forget(was.group.key());
  if (status) status = store_.commit();
  if (!status) {
    store_.rollback();
    return status;
  }
  if (sink_ != nullptr && !ended.empty()) sink_->update(ended, was.state.evaluated_ms);
  return {};
}

// Takes the state that an earlier process stored.
Status Engine::restore(Running& running) {
  auto loaded = store_.load(running.group.key());
  if (!loaded) return loaded.error();
  if (!*loaded) return {};
  running.state.evaluated_ms = (*loaded)->evaluated_ms;
  for (size_t i = 0; i < running.identities.size(); ++i) {
    const auto found = (*loaded)->rules.find(running.identities[i]);
    if (found == (*loaded)->rules.end()) continue;
    auto alerts = decode_alerts(found->second.alerts);
    auto outputs = decode_series(found->second.outputs);
    if (!alerts || !outputs) {
      log_error("the stored state of a rule cannot be used; its alerts begin anew",
                {{"group", running.group.key()}, {"rule", running.group.rules[i].name}});
      continue;
    }
    for (auto& [labels, active] : *alerts) {
      active.alert.group = running.group.key();
      active.alert.expression = running.group.rules[i].expression_text;
    }
    running.state.rules[i].alerts = std::move(*alerts);
    running.state.rules[i].outputs = std::move(*outputs);
    running.stored[i] = found->second;
  }
  return {};
}

int64_t Engine::next_after(const Running& running, int64_t time_ms) {
  return floor_to(time_ms, running.interval_ms, running.offset_ms) + running.interval_ms;
}

// The time of the next evaluation. Skips those that are too far back.
int64_t Engine::first_due(Running& running, const Progress& progress) {
  const int64_t ready = progress.watermark_ms - running.group.eval_delay_ms;
  if (running.state.evaluated_ms == 0) return floor_to(ready, running.interval_ms, running.offset_ms);
  const int64_t next = next_after(running, running.state.evaluated_ms);
  const int64_t most =
      std::min(options_.catch_up_ms, static_cast<int64_t>(options_.catch_up_evaluations) * running.interval_ms);
  const int64_t oldest = next_after(running, ready - std::max(most, running.interval_ms));
  if (next >= oldest) return skip_if_slow(running, next, ready);
  const int64_t missed = (oldest - next) / running.interval_ms;
  metrics_->missed.add(static_cast<uint64_t>(missed));
  log_warning("evaluations of rules are missed: the data came too late for them",
              {{"group", running.group.key()}, {"missed", missed}});
  return oldest;
}

// The evaluation after one that took longer than the interval is the newest one that is due: making all of them would
// delay every group more and more.
int64_t Engine::skip_if_slow(Running& running, int64_t next_ms, int64_t ready_ms) {
  const bool slow = running.took_ns > running.interval_ms * kNanosPerMilli;
  const int64_t newest = floor_to(ready_ms, running.interval_ms, running.offset_ms);
  if (slow && newest > next_ms) {
    metrics_->missed.add(static_cast<uint64_t>((newest - next_ms) / running.interval_ms));
    if (!running.slow) {
      log_warning("an evaluation of rules takes longer than the group's interval; evaluations are left out",
                  {{"group", running.group.key()},
                   {"took_ms", running.took_ns / kNanosPerMilli},
                   {"interval_ms", running.interval_ms}});
    }
    next_ms = newest;
  }
  running.slow = slow;
  return next_ms;
}

bool Engine::is_fresh(const Running& running, int64_t at_ms, int64_t now_ms) const {
  return now_ms - at_ms <= options_.stale_ms + 2 * running.interval_ms;
}

Status Engine::advance(const Progress& progress, const std::function<bool()>& stop) {
  figures_->watermark_ms = progress.watermark_ms;
  // In the order of time over all groups, so that a group sees what another one has recorded before.
  using Due = std::pair<int64_t, Running*>;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  const auto ready_of = [&progress](const Running& one) { return progress.watermark_ms - one.group.eval_delay_ms; };
  for (auto& [key, running] : groups_) {
    const bool evaluated = running->state.evaluated_ms != 0;
    if (evaluated && next_after(*running, running->state.evaluated_ms) > ready_of(*running)) continue;
    due.emplace(first_due(*running, progress), running.get());
  }
  while (!due.empty()) {
    const auto [at, running] = due.top();
    due.pop();
    if (at > ready_of(*running)) continue;
    if (stop && stop()) return {};
    if (auto status = evaluate(*running, at, progress); !status) {
      metrics_->store_failures.add();
      return status;
    }
    const int64_t next = skip_if_slow(*running, at + running->interval_ms, ready_of(*running));
    due.emplace(next, running);
    const bool last = next > ready_of(*running);
    if (last && is_fresh(*running, at, progress.now_ms)) tell(*running, at);
  }
  return {};
}

Status Engine::evaluate(Running& running, int64_t at_ms, const Progress& progress) {
  const int64_t start = clock_.mono_ns();
  GroupState next = running.state;
  next.evaluated_ms = at_ms;
  if (auto status = store_.begin(); !status) return status;
  Status status = evaluate_rules(running, next, at_ms, progress);
  std::vector<StoredRule> stored = running.stored;
  for (size_t i = 0; i < next.rules.size() && status; ++i) {
    StoredRule now{encode_alerts(next.rules[i].alerts), encode_series(next.rules[i].outputs)};
    if (now.alerts == stored[i].alerts && now.outputs == stored[i].outputs) continue;
    status = store_.save_rule(running.group.key(), running.identities[i], now);
    stored[i] = std::move(now);
  }
  if (status) status = store_.save_group(running.group.key(), at_ms);
  if (status) status = store_.commit();
  if (!status) {
    store_.rollback();
    return status;
  }
  const int64_t took = clock_.mono_ns() - start;
  metrics_->evaluations.add();
  metrics_->duration.observe(static_cast<double>(took) / 1e9);
  metrics_->last.set(static_cast<double>(at_ms) / 1000);
  metrics_->last_duration.set(static_cast<double>(took) / 1e9);
  {
    const std::lock_guard lock(mutex_);
    running.state = std::move(next);
    running.stored = std::move(stored);
    running.took_ns = took;
  }
  count_alerts();
  return {};
}

Status Engine::evaluate_rules(Running& running, GroupState& next, int64_t at_ms, const Progress& progress) {
  LayeredSource source(data_, store_);
  EvaluationContext context{.source = &source,
                            .at_ms = at_ms,
                            .external_labels = options_.external_labels,
                            .external_url = options_.external_url};
  if (progress.undelivered) {
    context.undelivered = [&](const query::Labels& labels) { return progress.undelivered(labels, at_ms); };
  }
  const Status status =
      evaluate_group(running.group, std::move(context), options_.rule_timeout_ns, clock_, store_, next);
  for (size_t i = 0; i < next.rules.size() && status; ++i) {
    const RuleState& rule = next.rules[i];
    if (rule.health != RuleHealth::kFailed) continue;
    metrics_->failures.add();
    if (rule.last_error == running.state.rules[i].last_error) continue;
    log_warning("the evaluation of a rule failed",
                {{"group", running.group.key()}, {"rule", running.group.rules[i].name}, {"reason", rule.last_error}});
  }
  return status;
}

void Engine::tell_all(int64_t now_ms) {
  for (const auto& [key, running] : groups_) {
    const int64_t at = running->state.evaluated_ms;
    if (at != 0 && is_fresh(*running, at, now_ms)) tell(*running, at);
  }
}

void Engine::tell(const Running& running, int64_t at_ms) {
  if (sink_ == nullptr) return;
  std::vector<Alert> alerts;
  for (const RuleState& rule : running.state.rules) {
    for (const auto& [labels, active] : rule.alerts) alerts.push_back(active.alert);
  }
  std::ranges::sort(alerts, {}, &Alert::labels);
  sink_->update_group(running.group.key(), alerts, at_ms);
}

}  // namespace monitor::rules
