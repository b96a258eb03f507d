#include "notify/dispatcher.h"

#include <algorithm>
#include <utility>

namespace monitor::notify {

namespace {

using query::Labels;
using rules::Alert;
using rules::AlertState;

// A resolved alert is passed for 15 minutes after its end. It is known for longer, so that it is not taken for new.
constexpr int64_t kKeepResolvedMs = int64_t{30} * 60'000;
// A pending alert of which no evaluation tells any more.
constexpr int64_t kKeepPendingMs = int64_t{24} * 3'600'000;
// As Alertmanager's default retention.
constexpr int64_t kKeepLogMs = int64_t{120} * 3'600'000;

std::string values_of(const Labels& labels, std::span<const std::string> names) {
  std::string values;
  for (const std::string& name : names) {
    values += labels.get(name);
    values += '\xff';
  }
  return values;
}

std::vector<uint64_t> fingerprints(const std::vector<Alert>& alerts, AlertState state) {
  std::vector<uint64_t> result;
  for (const Alert& alert : alerts) {
    if (alert.state == state) result.push_back(fingerprint(alert.labels));
  }
  std::ranges::sort(result);
  return result;
}

bool is_subset(std::span<const uint64_t> some, std::span<const uint64_t> all) {
  return std::ranges::includes(all, some);
}

}  // namespace

Inhibitor::Inhibitor(std::span<const InhibitRule> rules, const std::vector<const Alert*>& firing)
    : rules_(rules), sources_(rules.size()) {
  for (size_t i = 0; i < rules.size(); ++i) {
    for (const Alert* const alert : firing) {
      if (!matches_all(rules[i].source, alert->labels)) continue;
      sources_[i][values_of(alert->labels, rules[i].equal)].push_back(&alert->labels);
    }
  }
}

std::vector<Labels> Inhibitor::inhibited_by(const Labels& labels) const {
  std::vector<Labels> result;
  for (size_t i = 0; i < rules_.size(); ++i) {
    if (sources_[i].empty() || !matches_all(rules_[i].target, labels)) continue;
    const auto found = sources_[i].find(values_of(labels, rules_[i].equal));
    if (found == sources_[i].end()) continue;
    // An alert that matches both sides is not inhibited by another one that does: they would inhibit one another.
    const bool both = matches_all(rules_[i].source, labels);
    const auto source = std::ranges::find_if(
        found->second, [&](const Labels* one) { return !(both && matches_all(rules_[i].target, *one)); });
    if (source != found->second.end()) result.push_back(**source);
  }
  return result;
}

Need need_of(const LogEntry* entry, std::span<const uint64_t> firing, std::span<const uint64_t> resolved,
             bool send_resolved, int64_t repeat_interval_ms, int64_t now_ms) {
  if (entry == nullptr) return {!firing.empty(), false};
  if (!is_subset(firing, entry->firing)) return {true, false};
  if (firing.empty()) return {!entry->firing.empty(), false};
  if (send_resolved && !is_subset(resolved, entry->resolved)) return {true, false};
  // If the clock was set back, the entry counts as one of now.
  const int64_t told_ms = std::min(entry->time_ms, now_ms);
  return {now_ms - told_ms >= repeat_interval_ms, true};
}

void Dispatcher::restore(std::vector<Tracked> alerts, std::map<LogKey, LogEntry> log, Moment now) {
  log_ = std::move(log);
  for (Tracked& one : alerts) {
    if (!one.settled) join_groups(one.alert, now, true);
    Labels labels = one.alert.labels;
    alerts_.insert_or_assign(std::move(labels), std::move(one));
  }
}

void Dispatcher::configure(std::shared_ptr<const Config> config, Moment now) {
  groups_.clear();
  config_ = std::move(config);
  for (const auto& [labels, one] : alerts_) {
    if (!one.settled) join_groups(one.alert, now, true);
  }
}

void Dispatcher::update(std::span<const Alert> alerts, int64_t evaluated_ms, Moment now) {
  evaluated_ms_ = std::max(evaluated_ms_, evaluated_ms);
  std::set<std::string> evaluated;
  std::set<Labels> pending;
  for (const Alert& alert : alerts) {
    evaluated.insert(alert.group);
    if (alert.state == AlertState::kPending) {
      pending.insert(alert.labels);
      pending_.insert_or_assign(alert.labels, alert);
    } else {
      pending_.erase(alert.labels);
      take(alert, evaluated_ms, now);
    }
  }
  std::erase_if(pending_, [&](const auto& one) {
    if (pending.contains(one.first)) return false;
    return evaluated.contains(one.second.group) || evaluated_ms_ - one.second.active_at_ms > kKeepPendingMs;
  });
  forget_old(evaluated_ms_);
}

void Dispatcher::end_missing(const std::string& group, const GroupAlerts& all, Moment now) {
  (void)end_if(
      [&](const Labels& labels, const Alert& alert) { return alert.group == group && !all.alerts.contains(labels); },
      all.evaluated_ms, now);
}

std::set<std::string> Dispatcher::end_other_groups(const std::set<std::string>& groups, int64_t evaluated_ms,
                                                   Moment now) {
  std::erase_if(pending_, [&](const auto& one) { return !groups.contains(one.second.group); });
  return end_if([&](const Labels&, const Alert& alert) { return !groups.contains(alert.group); }, evaluated_ms, now);
}

// Ends firing alerts. Returns their groups.
std::set<std::string> Dispatcher::end_if(const IsOver& is_over, int64_t evaluated_ms, Moment now) {
  std::vector<Alert> ended;
  std::set<std::string> groups;
  for (const auto& [labels, one] : alerts_) {
    if (one.alert.state != AlertState::kFiring || !is_over(labels, one.alert)) continue;
    ended.push_back(one.alert);
    ended.back().state = AlertState::kResolved;
    ended.back().resolved_at_ms = std::max(evaluated_ms, one.alert.fired_at_ms);
    groups.insert(one.alert.group);
  }
  for (auto& shared : shared_) {
    std::erase_if(shared.second, [&](const auto& one) { return is_over(shared.first, one.second); });
  }
  for (const Alert& one : ended) take(one, evaluated_ms, now);
  return groups;
}

// An alert of several groups, because their rules have the same labels or a rule has moved, is firing while one of them
// says so, and since that one says so that began first.
Alert Dispatcher::merged(const Alert& given) {
  const auto found = alerts_.find(given.labels);
  const bool alone = found == alerts_.end() || found->second.alert.group == given.group;
  if (alone && !shared_.contains(given.labels)) return given;
  auto& groups = shared_[given.labels];
  if (!alone) groups.try_emplace(found->second.alert.group, found->second.alert);
  groups.insert_or_assign(given.group, given);
  std::erase_if(groups, [](const auto& one) { return one.second.state != AlertState::kFiring; });
  const auto first = std::ranges::min_element(groups, {}, [](const auto& one) { return one.second.fired_at_ms; });
  Alert result = first == groups.end() ? given : first->second;
  if (groups.size() < 2) shared_.erase(given.labels);
  return result;
}

void Dispatcher::take(const Alert& given, int64_t evaluated_ms, Moment now) {
  if (given.state == AlertState::kResolved && given.fired_at_ms == 0) return;
  const Alert alert = merged(given);
  const auto found = alerts_.find(alert.labels);
  if (found != alerts_.end() && found->second.alert.group != alert.group) {
    const AlertState before = found->second.alert.state;
    if (before == AlertState::kResolved && alert.state == AlertState::kResolved) return;
    found->second.alert = alert;
    changed_.insert(alert.labels);
    if (before == alert.state) return;  // it goes on under another group
    found->second.settled = false;
    join_groups(alert, now, false);
    return;
  }
  if (found != alerts_.end()) {
    const Alert& known = found->second.alert;
    if (alert.fired_at_ms < known.fired_at_ms) return;  // an earlier episode
    const bool same = alert.fired_at_ms == known.fired_at_ms && alert.state == known.state;
    // What has ended does not begin again with the same start.
    if (alert.fired_at_ms == known.fired_at_ms && known.state == AlertState::kResolved) return;
    if (same) {
      if (found->second.alert == alert) return;
      found->second.alert = alert;
      new_values_.insert(alert.labels);
      return;
    }
  } else if (alert.state == AlertState::kResolved && evaluated_ms - alert.resolved_at_ms > kKeepResolvedMs) {
    return;
  }
  alerts_.insert_or_assign(alert.labels, Tracked{alert, false});
  changed_.insert(alert.labels);
  join_groups(alert, now, false);
}

void Dispatcher::join_groups(const Alert& alert, Moment now, bool restored) {
  for (const Route* const route : config_->routes_of(alert.labels)) {
    Labels labels = route->group_by_all ? alert.labels : alert.labels.keep(route->group_by);
    const auto [entry, added] = groups_.try_emplace(GroupId(route, labels));
    Group& group = entry->second;
    if (added) {
      group.route = route;
      group.key = route->key + ":" + labels.to_string();
      group.labels = std::move(labels);
      group.next_ms = now.mono_ms + route->group_wait_ms;
    }
    group.members.insert(alert.labels);
    // An alert that has been firing for long needs no further wait.
    const bool waited = now.wall_ms - alert.fired_at_ms >= route->group_wait_ms;
    if (!group.told && waited && !restored) group.next_ms = std::min(group.next_ms, now.mono_ms);
  }
}

std::vector<Decision> Dispatcher::due(Moment now) {
  std::vector<Decision> decisions;
  if (next_due_ms() > now.mono_ms) return decisions;
  std::vector<const Alert*> firing;
  for (const auto& [labels, one] : alerts_) {
    if (one.alert.state == AlertState::kFiring) firing.push_back(&one.alert);
  }
  const Inhibitor inhibitor(config_->inhibit_rules, firing);
  for (auto& [id, group] : groups_) {
    if (group.next_ms <= now.mono_ms) flush(group, inhibitor, now, decisions);
  }
  std::erase_if(groups_,
                [&](const auto& one) { return one.second.members.empty() && one.second.next_ms <= now.mono_ms; });
  return decisions;
}

bool Dispatcher::is_muted(const Route& route, int64_t wall_ms) const {
  const auto holds = [&](const std::string& name) {
    const NamedIntervals* const named = config_->intervals(name);
    return named != nullptr && contains(*named, wall_ms);
  };
  if (std::ranges::any_of(route.mute_time_intervals, holds)) return true;
  return !route.active_time_intervals.empty() && std::ranges::none_of(route.active_time_intervals, holds);
}

void Dispatcher::flush(Group& group, const Inhibitor& inhibitor, Moment now, std::vector<Decision>& decisions) {
  if (group.members.empty()) return;  // its interval is over; due() removes it
  group.told = true;
  group.next_ms = now.mono_ms + group.route->group_interval_ms;
  std::vector<Alert> alerts;
  if (!is_muted(*group.route, now.wall_ms)) {
    for (const Labels& labels : group.members) {
      if (!inhibitor.inhibited_by(labels).empty()) continue;
      if (!silences_of(silences_, labels, now.wall_ms).empty()) continue;
      alerts.push_back(alerts_.at(labels).alert);
    }
  }
  std::ranges::stable_partition(alerts, [](const Alert& one) { return one.state == AlertState::kFiring; });
  const Receiver* const receiver = config_->receiver(group.route->receiver);
  if (!alerts.empty() && receiver != nullptr) {
    for (const Integration& one : receiver->integrations) {
      if (one.kind != Kind::kAlertmanager) decide(group, one, alerts, now, decisions);
    }
  }
  settle(group);
}

void Dispatcher::decide(const Group& group, const Integration& integration, const std::vector<Alert>& alerts,
                        Moment now, std::vector<Decision>& decisions) {
  Decision decision{{group.key, group.route->receiver, integration.name}, {}, std::nullopt};
  const auto firing = fingerprints(alerts, AlertState::kFiring);
  const auto resolved = fingerprints(alerts, AlertState::kResolved);
  const auto found = log_.find(decision.key);
  const LogEntry* const before = found == log_.end() ? nullptr : &found->second;
  const Need need =
      need_of(before, firing, resolved, integration.send_resolved, group.route->repeat_interval_ms, now.wall_ms);
  if (!need.notify) return;
  Notification told;
  told.receiver = group.route->receiver;
  told.integration = integration.name;
  told.group_key = group.key;
  told.group_labels = group.labels;
  told.decided_ms = now.wall_ms;
  told.repeat = need.repeat;
  for (const Alert& alert : alerts) {
    if (integration.send_resolved || alert.state == AlertState::kFiring) told.alerts.push_back(alert);
  }
  told.id = notification_id(told, before == nullptr ? "" : before->id);
  decision.entry = {told.id, now.wall_ms, firing, resolved};
  log_.insert_or_assign(decision.key, decision.entry);
  if (!told.alerts.empty()) decision.notification = std::move(told);
  decisions.push_back(std::move(decision));
}

// The group has reported its resolved alerts, or never will.
void Dispatcher::settle(Group& group) {
  std::vector<Labels> left;
  std::erase_if(group.members, [&](const Labels& labels) {
    if (alerts_.at(labels).alert.state != AlertState::kResolved) return false;
    left.push_back(labels);
    return true;
  });
  for (const Labels& labels : left) {
    if (in_a_group(labels)) continue;
    alerts_.at(labels).settled = true;
    changed_.insert(labels);
  }
}

bool Dispatcher::in_a_group(const Labels& labels) const {
  for (const Route* const route : config_->routes_of(labels)) {
    const auto found = groups_.find(GroupId(route, route->group_by_all ? labels : labels.keep(route->group_by)));
    if (found != groups_.end() && found->second.members.contains(labels)) return true;
  }
  return false;
}

void Dispatcher::forget_old(int64_t evaluated_ms) {
  std::erase_if(alerts_, [&](const auto& one) {
    const auto& [labels, tracked] = one;
    if (!tracked.settled || evaluated_ms - tracked.alert.resolved_at_ms <= kKeepResolvedMs) return false;
    changed_.erase(labels);
    new_values_.erase(labels);
    forgotten_.push_back(labels);
    return true;
  });
}

int64_t Dispatcher::next_due_ms() const {
  int64_t next = INT64_MAX;
  for (const auto& [id, group] : groups_) next = std::min(next, group.next_ms);
  return next;
}

void Dispatcher::expire_log(int64_t wall_ms) {
  int64_t longest_ms = 0;
  const auto look = [&](const auto& self, const Route& route) -> void {
    longest_ms = std::max(longest_ms, route.repeat_interval_ms);
    for (const Route& child : route.routes) self(self, child);
  };
  look(look, config_->route);
  const int64_t keep_ms = std::max(kKeepLogMs, 2 * longest_ms);
  std::erase_if(log_, [&](const auto& one) {
    if (wall_ms - one.second.time_ms <= keep_ms) return false;
    expired_.push_back(one.first);
    return true;
  });
}

Changes Dispatcher::take_changes(bool values) {
  Changes changes;
  if (values) changed_.merge(std::exchange(new_values_, {}));
  for (const Labels& labels : changed_) changes.alerts.push_back(alerts_.at(labels));
  changed_.clear();
  changes.forgotten = std::exchange(forgotten_, {});
  changes.expired = std::exchange(expired_, {});
  return changes;
}

}  // namespace monitor::notify
