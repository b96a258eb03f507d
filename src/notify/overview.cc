#include "notify/overview.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "base/text.h"

namespace monitor::notify {

namespace {

using rules::Alert;
using rules::AlertState;

template <typename Items, typename F>
std::string array(const Items& items, F&& json) {
  std::string text = "[";
  for (const auto& one : items) text += (text.size() > 1 ? "," : "") + json(one);
  return text + "]";
}

std::string delivery_json(const Delivery& one) {
  return fmt::format(
      R"({{"id":{},"receiver":{},"integration":{},"groupKey":{},"decidedAt":"{}","finishedAt":{},"attempts":{},"firing":{},"resolved":{},"result":"{}","answer":{}}})",
      json_quote(one.id), json_quote(one.receiver), json_quote(one.integration), json_quote(one.group_key),
      time_text(one.decided_ms), one.finished_ms == 0 ? "null" : json_quote(time_text(one.finished_ms)), one.attempts,
      one.firing, one.resolved, one.result.empty() ? "waiting" : one.result, json_quote(one.answer));
}

// An alert's JSON object with more fields at its end.
std::string with_fields(const Alert& alert, const std::string& fields) {
  std::string json = alert_json(alert);
  json.pop_back();
  return json + "," + fields + "}";
}

}  // namespace

Result<std::vector<AlertRow>> overview(AlertStore& store, const Config* config, int64_t now_ms) {
  const auto known = store.alerts();
  if (!known) return known.error();
  const auto pending = store.pending();
  if (!pending) return pending.error();
  const auto silences = store.silences();
  if (!silences) return silences.error();
  std::vector<const Alert*> firing;
  for (const Alert& one : *known) {
    if (one.state == AlertState::kFiring) firing.push_back(&one);
  }
  const Inhibitor inhibitor(config == nullptr ? std::span<const InhibitRule>() : config->inhibit_rules, firing);
  std::vector<AlertRow> rows;
  const auto add = [&](const Alert& alert) {
    AlertRow row{alert, silences_of(*silences, alert.labels, now_ms), inhibitor.inhibited_by(alert.labels), {}};
    if (config != nullptr) {
      for (const Route* const route : config->routes_of(alert.labels)) row.receivers.push_back(route->receiver);
    }
    rows.push_back(std::move(row));
  };
  for (const Alert* const one : firing) add(*one);
  for (const Alert& one : *pending) add(one);
  std::ranges::stable_sort(rows, [](const AlertRow& a, const AlertRow& b) {
    if (a.alert.state != b.alert.state) return a.alert.state == AlertState::kFiring;
    return a.alert.active_at_ms > b.alert.active_at_ms;
  });
  return rows;
}

Result<std::vector<HistoryRow>> history(AlertStore& store, int64_t since_ms, size_t most) {
  auto episodes = store.episodes(since_ms, most);
  if (!episodes) return episodes.error();
  // A notification about an alert comes after its start.
  int64_t from_ms = since_ms;
  for (const Episode& one : *episodes) from_ms = std::min(from_ms, one.alert.fired_at_ms);
  constexpr size_t kMostDeliveries = 20'000;
  const auto deliveries = store.deliveries(from_ms, kMostDeliveries);
  if (!deliveries) return deliveries.error();
  std::map<std::string, std::vector<const Delivery*>> about;
  for (auto one = deliveries->rbegin(); one != deliveries->rend(); ++one) {
    for (const std::string& each : one->fingerprints) about[each].push_back(&*one);
  }
  std::map<std::string, int64_t> next_start;  // of the episode after, as they come newest first
  std::vector<HistoryRow> rows;
  for (Episode& one : *episodes) {
    const std::string key = fingerprint_text(fingerprint(one.alert.labels));
    const auto after = next_start.find(key);
    const int64_t until_ms = after == next_start.end() ? INT64_MAX : after->second;
    HistoryRow row{std::move(one.alert), {}};
    for (const Delivery* const each : about[key]) {
      if (each->decided_ms >= row.alert.fired_at_ms && each->decided_ms < until_ms) row.deliveries.push_back(*each);
    }
    next_start[key] = row.alert.fired_at_ms;
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string overview_json(std::span<const AlertRow> rows) {
  return array(rows, [](const AlertRow& row) {
    const auto quoted = [](const std::string& text) { return json_quote(text); };
    return with_fields(
        row.alert,
        fmt::format(R"("silencedBy":{},"inhibitedBy":{},"receivers":{})", array(row.silenced_by, quoted),
                    array(row.inhibited_by, [](const query::Labels& one) { return json_quote(one.to_string()); }),
                    array(row.receivers, quoted)));
  });
}

std::string history_json(std::span<const HistoryRow> rows) {
  return array(rows, [](const HistoryRow& row) {
    return with_fields(row.alert, fmt::format(R"("notifications":{})", array(row.deliveries, delivery_json)));
  });
}

std::string deliveries_json(std::span<const Delivery> deliveries) { return array(deliveries, delivery_json); }

std::string receivers_json(std::span<const ReceiverState> states) {
  return array(states, [](const ReceiverState& one) {
    return fmt::format(R"({{"receiver":{},"integration":{},"waiting":{},"trouble":{}}})", json_quote(one.receiver),
                       json_quote(one.integration), one.waiting, json_quote(one.trouble));
  });
}

std::string silences_json(std::span<const Silence> silences, int64_t now_ms) {
  return array(silences, [&](const Silence& one) { return silence_json(one, now_ms); });
}

Notification test_notification(const std::string& receiver, const std::string& integration, int64_t now_ms,
                               const std::string& external_url) {
  Notification notification;
  notification.receiver = receiver;
  notification.integration = integration;
  notification.group_key = "test:{alertname=\"TestNotification\"}";
  notification.group_labels = query::Labels({{std::string("alertname"), std::string("TestNotification")}});
  notification.decided_ms = now_ms;
  Alert alert;
  alert.labels = query::Labels({{"alertname", "TestNotification"}, {"severity", "none"}, {"receiver", receiver}});
  alert.annotations = {{"summary", "This is a test. Nothing is wrong."}};
  alert.state = AlertState::kFiring;
  alert.active_at_ms = alert.fired_at_ms = now_ms;
  alert.value = 1;
  alert.expression = "vector(1)";
  notification.alerts.push_back(std::move(alert));
  notification.external_url = external_url;
  notification.id = notification_id(notification, "test");
  return notification;
}

}  // namespace monitor::notify
