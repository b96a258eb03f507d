// Notification: one message to one integration of a receiver, about the alerts of one group.
//
// Its id is computed from its content and from the notification before it. If the program is killed between sending and
// recording a notification, it sends the same one again, with the same id: a receiver can drop the second copy.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "notify/config.h"
#include "query/labels.h"
#include "rules/alert.h"

namespace monitor::notify {

// Alertmanager's fingerprint of a set of labels.
uint64_t fingerprint(const query::Labels& labels);
std::string fingerprint_text(uint64_t fingerprint);

struct Notification {
  std::string id;  // 32 hexadecimal digits
  std::string receiver;
  std::string integration;  // Integration::name
  std::string group_key;    // the route and the group's labels
  query::Labels group_labels;
  std::vector<rules::Alert> alerts;  // those that are firing first
  int64_t decided_ms = 0;            // wall clock
  bool repeat = false;               // has no news
  std::string external_url = {};     // where people find this program's page; empty: unknown

  bool operator==(const Notification&) const = default;
  size_t firing() const;
  bool resolved() const { return firing() == 0; }  // of all alerts
  size_t bytes() const;                            // its approximate memory
};

// `before`: the id of the notification before it; empty: none.
std::string notification_id(const Notification& notification, std::string_view before);

// The labels and annotations that have the same value in all alerts.
query::Labels common_labels(const Notification& notification);
std::vector<std::pair<std::string, std::string>> common_annotations(const Notification& notification);

// As Alertmanager's webhook, version 4, with more fields: notificationId, repeat, and of each alert value, expression,
// activeAt and ruleGroup. At most `max_alerts` alerts; 0: all.
std::string webhook_json(const Notification& notification, size_t max_alerts = 0);
// Parses the output of webhook_json(). kDataLoss: it is something else.
Result<Notification> parse_notification(std::string_view json);

// The page with the result of the alert's expression; empty without an external URL.
std::string generator_url(const rules::Alert& alert, const std::string& external_url);

std::string alert_json(const rules::Alert& alert, const std::string& external_url = {});
Result<rules::Alert> parse_alert(std::string_view json);

// 1970-01-01T00:00:00.000Z
std::string time_text(int64_t ms);

}  // namespace monitor::notify
