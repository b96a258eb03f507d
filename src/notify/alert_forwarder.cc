#include "notify/alert_forwarder.h"

#include <algorithm>

namespace monitor::notify {

namespace {

using rules::Alert;
using rules::AlertState;

constexpr int64_t kTellResolvedMs = int64_t{15} * 60'000;

bool has_alertmanager(const Config& config) {
  return std::ranges::any_of(config.receivers, [](const Receiver& receiver) {
    return std::ranges::any_of(receiver.integrations,
                               [](const Integration& one) { return one.kind == Kind::kAlertmanager; });
  });
}

// Two lists: what is new, and what is repeated.
struct Batches {
  std::vector<Alert> fresh;
  std::vector<Alert> repeated;
};

void add_notifications(const std::string& receiver, const Integration& integration, std::vector<Alert> alerts,
                       bool repeat, int64_t wall_ms, std::vector<Notification>& result) {
  std::ranges::stable_partition(alerts, [](const Alert& one) { return one.state == AlertState::kFiring; });
  for (size_t at = 0; at < alerts.size(); at += AlertForwarder::kMostAlerts) {
    Notification one;
    one.receiver = receiver;
    one.integration = integration.name;
    one.group_key = "alertmanager";
    const size_t end = std::min(alerts.size(), at + AlertForwarder::kMostAlerts);
    one.alerts.assign(alerts.begin() + static_cast<ptrdiff_t>(at), alerts.begin() + static_cast<ptrdiff_t>(end));
    one.decided_ms = wall_ms;
    one.repeat = repeat;
    one.id = notification_id(one, repeat ? time_text(wall_ms) : "");
    result.push_back(std::move(one));
  }
}

}  // namespace

std::vector<Notification> AlertForwarder::due(const Config& config, const std::map<query::Labels, Tracked>& alerts,
                                              int64_t evaluated_ms, Moment now) {
  std::vector<Notification> result;
  if (!has_alertmanager(config)) return result;
  std::map<Target, std::pair<const Integration*, Batches>> batches;
  for (const auto& [labels, tracked] : alerts) {
    const Alert& alert = tracked.alert;
    const bool resolved = alert.state == AlertState::kResolved;
    for (const Route* const route : config.routes_of(labels)) {
      const Receiver* const receiver = config.receiver(route->receiver);
      if (receiver == nullptr) continue;
      for (const Integration& one : receiver->integrations) {
        if (one.kind != Kind::kAlertmanager) continue;
        const Target target(receiver->name, one.name);
        auto& known = told_[target];
        const auto found = known.find(labels);
        const bool fresh = found == known.end() || found->second.state != alert.state ||
                           found->second.fired_at_ms != alert.fired_at_ms;
        if (!fresh && now.mono_ms - found->second.sent_ms < one.resend_delay_ms) continue;
        if (resolved && evaluated_ms - alert.resolved_at_ms > kTellResolvedMs) continue;
        known[labels] = {alert.state, alert.fired_at_ms, now.mono_ms};
        auto& [integration, batch] = batches[target];
        integration = &one;
        (fresh ? batch.fresh : batch.repeated).push_back(alert);
      }
    }
  }
  for (auto& [target, known] : told_) {
    std::erase_if(known, [&](const auto& one) { return !alerts.contains(one.first); });
  }
  for (auto& [target, batch] : batches) {
    add_notifications(target.first, *batch.first, std::move(batch.second.fresh), false, now.wall_ms, result);
    add_notifications(target.first, *batch.first, std::move(batch.second.repeated), true, now.wall_ms, result);
  }
  return result;
}

}  // namespace monitor::notify
