#include "notify/notification.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/clock.h"
#include "base/hash64.h"
#include "base/time_format.h"
#include "query/json.h"
#include "rules/graph_link.h"

namespace monitor::notify {

namespace {

using Json = nlohmann::ordered_json;
using rules::Alert;
using rules::AlertState;

constexpr const char* kNoTime = "0001-01-01T00:00:00Z";  // Go's zero time, as Alertmanager writes it

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json pairs_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

std::vector<std::pair<std::string, std::string>> pairs_of(const Json& json) {
  std::vector<std::pair<std::string, std::string>> pairs;
  for (const auto& [name, value] : json.items()) pairs.emplace_back(name, value.get<std::string>());
  return pairs;
}

int64_t time_of(const Json& json) {
  const auto text = json.get<std::string>();
  if (text == kNoTime) return 0;
  const auto ns = parse_rfc3339(text);
  return ns ? *ns / kNanosPerMilli : 0;
}

// Versions before wrote null for everything that is no finite number.
double value_of(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json.is_null()) return std::nan("");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto text = json.get<std::string>();
  return text == "+Inf" ? kInfinity : text == "-Inf" ? -kInfinity : std::nan("");
}

const char* state_name(AlertState state) {
  if (state == AlertState::kPending) return "pending";
  return state == AlertState::kFiring ? "firing" : "resolved";
}

std::string known_time(int64_t ms) { return ms == 0 ? kNoTime : time_text(ms); }

Json to_json(const Alert& alert, const std::string& external_url) {
  return {{"status", state_name(alert.state)},
          {"labels", pairs_json(alert.labels.pairs())},
          {"annotations", pairs_json(alert.annotations)},
          {"startsAt", known_time(alert.fired_at_ms)},
          {"endsAt", alert.state == AlertState::kResolved ? known_time(alert.resolved_at_ms) : kNoTime},
          {"generatorURL", generator_url(alert, external_url)},
          {"fingerprint", fingerprint_text(fingerprint(alert.labels))},
          // JSON has no such numbers.
          {"value", std::isfinite(alert.value) ? Json(alert.value) : Json(query::value_text(alert.value))},
          {"expression", alert.expression},
          {"activeAt", known_time(alert.active_at_ms)},
          {"ruleGroup", alert.group}};
}

Alert alert_of(const Json& json) {
  Alert alert;
  const auto status = json.at("status").get<std::string>();
  alert.state = status == "pending"  ? AlertState::kPending
                : status == "firing" ? AlertState::kFiring
                                     : AlertState::kResolved;
  alert.labels = query::Labels(pairs_of(json.at("labels")));
  alert.annotations = pairs_of(json.at("annotations"));
  alert.value = value_of(json.at("value"));
  alert.active_at_ms = time_of(json.at("activeAt"));
  alert.fired_at_ms = time_of(json.at("startsAt"));
  alert.resolved_at_ms = time_of(json.at("endsAt"));
  alert.group = json.at("ruleGroup").get<std::string>();
  alert.expression = json.at("expression").get<std::string>();
  return alert;
}

// Runs a reader of JSON, whose library throws.
template <typename T, typename F>
Result<T> read_json(std::string_view text, const char* what, F&& read) {
  try {
    return read(Json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    return Error(Code::kDataLoss, fmt::format("{} cannot be decoded: {}", what, error.what()));
  }
}

}  // namespace

std::string time_text(int64_t ms) {
  constexpr int64_t kMost = INT64_MAX / kNanosPerMilli;
  return format_rfc3339(std::clamp(ms, int64_t{0}, kMost) * kNanosPerMilli, 3);
}

uint64_t fingerprint(const query::Labels& labels) {
  // FNV-1a, with 255 after each name and value.
  constexpr uint64_t kOffset = 14695981039346656037U;
  constexpr uint64_t kPrime = 1099511628211U;
  uint64_t hash = kOffset;
  const auto add = [&](std::string_view text) {
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * kPrime;
    hash = (hash ^ 255U) * kPrime;
  };
  for (const auto& [name, value] : labels.pairs()) {
    add(name);
    add(value);
  }
  return hash;
}

std::string fingerprint_text(uint64_t fingerprint) { return fmt::format("{:016x}", fingerprint); }

size_t Notification::firing() const {
  return static_cast<size_t>(
      std::ranges::count_if(alerts, [](const Alert& one) { return one.state == AlertState::kFiring; }));
}

size_t Notification::bytes() const {
  size_t sum = 500 + group_key.size();
  for (const Alert& alert : alerts) {
    sum += 400 + alert.expression.size() + alert.group.size();
    for (const auto& [name, value] : alert.labels.pairs()) sum += name.size() + value.size() + 64;
    for (const auto& [name, value] : alert.annotations) sum += name.size() + value.size() + 64;
  }
  return sum;
}

std::string notification_id(const Notification& notification, std::string_view before) {
  std::string text = fmt::format("{}\xff{}\xff{}\xff{}\xff", notification.receiver, notification.integration,
                                 notification.group_key, before);
  for (const Alert& alert : notification.alerts) {
    text += fmt::format("{}:{}:{}:{}\xff", fingerprint_text(fingerprint(alert.labels)), state_name(alert.state),
                        alert.fired_at_ms, alert.state == AlertState::kResolved ? alert.resolved_at_ms : 0);
  }
  constexpr HashKey kFirst{0x6E6F74696679'01, 0x61'6C'65'72'74'01};
  constexpr HashKey kSecond{0x6E6F74696679'02, 0x61'6C'65'72'74'02};
  return fmt::format("{:016x}{:016x}", hash64(kFirst, text), hash64(kSecond, text));
}

query::Labels common_labels(const Notification& notification) {
  if (notification.alerts.empty()) return {};
  query::Labels common = notification.alerts.front().labels;
  for (const Alert& alert : notification.alerts) {
    const auto pairs = common.pairs();
    for (const auto& [name, value] : pairs) {
      if (alert.labels.get(name) != value) common.remove(name);
    }
  }
  return common;
}

std::vector<std::pair<std::string, std::string>> common_annotations(const Notification& notification) {
  if (notification.alerts.empty()) return {};
  auto common = notification.alerts.front().annotations;
  for (const Alert& alert : notification.alerts) {
    std::erase_if(
        common, [&](const auto& one) { return std::ranges::find(alert.annotations, one) == alert.annotations.end(); });
  }
  return common;
}

std::string webhook_json(const Notification& notification, size_t max_alerts) {
  const size_t count = max_alerts == 0 ? notification.alerts.size() : std::min(max_alerts, notification.alerts.size());
  Json alerts = Json::array();
  for (size_t i = 0; i < count; ++i) alerts.push_back(to_json(notification.alerts[i], notification.external_url));
  const Json json = {{"version", "4"},
                     {"groupKey", notification.group_key},
                     {"truncatedAlerts", notification.alerts.size() - count},
                     {"status", notification.resolved() ? "resolved" : "firing"},
                     {"receiver", notification.receiver},
                     {"groupLabels", pairs_json(notification.group_labels.pairs())},
                     {"commonLabels", pairs_json(common_labels(notification).pairs())},
                     {"commonAnnotations", pairs_json(common_annotations(notification))},
                     {"externalURL", notification.external_url},
                     {"alerts", alerts},
                     {"notificationId", notification.id},
                     {"integration", notification.integration},
                     {"decidedAt", time_text(notification.decided_ms)},
                     {"repeat", notification.repeat}};
  return dump(json);
}

Result<Notification> parse_notification(std::string_view json) {
  return read_json<Notification>(json, "a stored notification", [](const Json& read) {
    Notification result;
    result.id = read.at("notificationId").get<std::string>();
    result.receiver = read.at("receiver").get<std::string>();
    result.integration = read.at("integration").get<std::string>();
    result.group_key = read.at("groupKey").get<std::string>();
    result.group_labels = query::Labels(pairs_of(read.at("groupLabels")));
    for (const Json& alert : read.at("alerts")) result.alerts.push_back(alert_of(alert));
    result.decided_ms = time_of(read.at("decidedAt"));
    result.repeat = read.at("repeat").get<bool>();
    result.external_url = read.value("externalURL", "");
    return result;
  });
}

std::string generator_url(const Alert& alert, const std::string& external_url) {
  if (external_url.empty()) return "";
  return external_url + rules::graph_link(alert.expression, rules::GraphTab::kTable);
}

std::string alert_json(const Alert& alert, const std::string& external_url) {
  return dump(to_json(alert, external_url));
}

Result<Alert> parse_alert(std::string_view json) { return read_json<Alert>(json, "a stored alert", alert_of); }

}  // namespace monitor::notify
