#include "notify/message_text.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <ctime>

#include "base/escape.h"
#include "base/text.h"
#include "notify/text_template.h"
#include "query/duration.h"
#include "query/json.h"

namespace monitor::notify {

namespace {

using Json = nlohmann::ordered_json;
using rules::Alert;
using rules::AlertState;

std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json pairs_json(const std::vector<std::pair<std::string, std::string>>& pairs) {
  Json json = Json::object();
  for (const auto& [name, value] : pairs) json[name] = value;
  return json;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t word = 0;
    for (size_t k = 0; k < 3; ++k) {
      word = word << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (size_t k = 0; k < 4; ++k) {
      text += i + k > bytes.size() ? '=' : kDigits[word >> (18U - 6U * k) & 63U];
    }
  }
  return text;
}

// A header's value that may have any characters (RFC 2047): encoded words of at most 75 characters.
std::string encoded_words(const std::string& text) {
  const bool plain = std::ranges::all_of(text, [](unsigned char c) { return c >= ' ' && c < 0x7F; });
  constexpr size_t kPlain = 60;
  if (plain && text.size() <= kPlain && text.find("=?") == std::string::npos) return text;
  std::string result;
  for (size_t at = 0; at < text.size();) {
    constexpr size_t kBytes = 42;
    size_t end = std::min(text.size(), at + kBytes);
    while (end < text.size() && end > at && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
    result += (result.empty() ? "" : "\r\n ") + fmt::format("=?utf-8?B?{}?=", base64(text.substr(at, end - at)));
    at = end;
  }
  return result;
}

std::string base64_lines(const std::string& text) {
  const std::string all = base64(text);
  std::string lines;
  constexpr size_t kLine = 76;
  for (size_t at = 0; at < all.size(); at += kLine) lines += all.substr(at, kLine) + "\r\n";
  return lines;
}

// At most so many bytes, and no part of a character.
std::string cut(const std::string& text, size_t most) {
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  return text.substr(0, most);
}

std::string one_line(const std::string& title) {
  constexpr size_t kMost = 250;
  return cut(printable(title), kMost);
}

std::string paragraph(const Alert& alert) {
  const bool resolved = alert.state == AlertState::kResolved;
  std::string text =
      fmt::format("{}: {}\n", resolved ? "RESOLVED" : "FIRING", printable(alert.labels.get("alertname")));
  text += resolved
              ? fmt::format("  from {} to {} ({})\n", time_text(alert.fired_at_ms), time_text(alert.resolved_at_ms),
                            query::format_duration_ms(std::max<int64_t>(0, alert.resolved_at_ms - alert.fired_at_ms)))
              : fmt::format("  since {}\n", time_text(alert.fired_at_ms));
  text += fmt::format("  value {}\n", query::value_text(alert.value));
  for (const auto& [name, value] : alert.annotations)
    text += fmt::format("  {}: {}\n", printable(name), printable(value));
  text += fmt::format("  labels {}\n", printable(alert.labels.to_string()));
  return text;
}

}  // namespace

std::string title_of(const Notification& notification) {
  const size_t firing = notification.firing();
  std::string title =
      firing > 0 ? fmt::format("[FIRING:{}]", firing) : fmt::format("[RESOLVED:{}]", notification.alerts.size());
  const query::Labels common = common_labels(notification);
  const auto name = common.get("alertname");
  title += " " + std::string(name.empty() ? "several alerts" : name);
  for (const auto& [label, value] : common.pairs()) {
    if (label != "alertname") title += fmt::format(" {}={}", label, value);
  }
  return one_line(title);
}

std::string title_of(const Notification& notification, const Integration& integration) {
  if (integration.title.empty()) return title_of(notification);
  return one_line(std::string(trim(expand_template(integration.title, notification, title_of(notification)))));
}

std::string body_of(const Notification& notification, const Integration& integration) {
  if (integration.text.empty()) return body_of(notification);
  return printable_lines(expand_template(integration.text, notification, body_of(notification)));
}

std::string body_of(const Notification& notification) {
  std::string text;
  size_t shown = 0;
  constexpr size_t kMost = size_t{100} << 10;
  for (const Alert& alert : notification.alerts) {
    if (text.size() > kMost) break;
    text += (text.empty() ? "" : "\n") + paragraph(alert);
    ++shown;
  }
  if (shown < notification.alerts.size())
    text += fmt::format("\nand {} more alerts\n", notification.alerts.size() - shown);
  return text;
}

std::string mail_of(const Notification& notification, const Integration& integration, int64_t now_ms) {
  const std::string domain = integration.from.substr(integration.from.find('@') + 1);
  std::string mail;
  mail += fmt::format("Date: {:%a, %d %b %Y %H:%M:%S} +0000\r\n", fmt::gmtime(static_cast<time_t>(now_ms / 1000)));
  mail += fmt::format("From: <{}>\r\n", integration.from);
  mail += fmt::format("To: <{}>\r\n", join(integration.to, ">,\r\n <"));
  mail += fmt::format("Subject: {}\r\n", encoded_words(title_of(notification, integration)));
  mail += fmt::format("Message-ID: <{}@{}>\r\n", notification.id, domain);
  mail += fmt::format("X-Monitor-Notification-Id: {}\r\n", notification.id);
  mail += "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n";
  mail += "Content-Transfer-Encoding: base64\r\n\r\n";
  std::string footer =
      fmt::format("\nnotification {} for receiver {}\n", notification.id, printable(notification.receiver));
  if (!notification.external_url.empty()) footer += notification.external_url + "/\n";
  mail += base64_lines(body_of(notification, integration) + footer);
  return mail;
}

std::string slack_json(const Notification& notification, const Integration& integration) {
  constexpr size_t kMost = 7000;  // Slack cuts longer texts
  std::string body = body_of(notification, integration);
  if (body.size() > kMost) body = cut(body, kMost) + "...";
  // In Slack's text, these would begin markup.
  const auto escaped = [](const std::string& text) {
    std::string result;
    for (const char c : text) result += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    return result;
  };
  Json json = {{"attachments", Json::array({{{"title", escaped(title_of(notification, integration))},
                                             {"fallback", escaped(title_of(notification, integration))},
                                             {"text", escaped(body)},
                                             {"footer", "notification " + notification.id},
                                             {"color", notification.resolved() ? "good" : "danger"}}})}};
  if (!notification.external_url.empty()) json["attachments"][0]["title_link"] = notification.external_url + "/";
  if (!integration.channel.empty()) json["channel"] = integration.channel;
  if (!integration.username.empty()) json["username"] = integration.username;
  return dump(json);
}

std::string alertmanager_json(const Notification& notification, int64_t now_ms, int64_t resend_delay_ms) {
  Json json = Json::array();
  for (const Alert& alert : notification.alerts) {
    const bool resolved = alert.state == AlertState::kResolved;
    json.push_back({{"labels", pairs_json(alert.labels.pairs())},
                    {"annotations", pairs_json(alert.annotations)},
                    {"startsAt", time_text(alert.fired_at_ms)},
                    {"endsAt", time_text(resolved ? alert.resolved_at_ms : now_ms + 4 * resend_delay_ms)},
                    {"generatorURL", generator_url(alert, notification.external_url)}});
  }
  return dump(json);
}

std::string record_json(const Notification& notification, const Alert& alert) {
  Json json = Json::parse(alert_json(alert, notification.external_url));
  const bool resolved = alert.state == AlertState::kResolved;
  json["eventId"] = fmt::format("{}-{}-{}", fingerprint_text(fingerprint(alert.labels)),
                                resolved ? alert.resolved_at_ms : alert.fired_at_ms, resolved ? "resolved" : "firing");
  json["notificationId"] = notification.id;
  json["receiver"] = notification.receiver;
  json["groupKey"] = notification.group_key;
  json["externalURL"] = notification.external_url;
  json["repeat"] = notification.repeat;
  return dump(json);
}

}  // namespace monitor::notify
