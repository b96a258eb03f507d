// Notifications as text for people. Pure functions.
#pragma once

#include <string>

#include "notify/notification.h"

namespace monitor::notify {

// One line: [FIRING:2] DiskFull agent=web-1
std::string title_of(const Notification& notification);
// The integration's templates, or the fixed forms above and below.
std::string title_of(const Notification& notification, const Integration& integration);
std::string body_of(const Notification& notification, const Integration& integration);
// A paragraph for each alert: start, labels, annotations, value. At most about 100 KiB.
std::string body_of(const Notification& notification);

// An e-mail with headers, lines ending with CRLF, in ASCII.
std::string mail_of(const Notification& notification, const Integration& integration, int64_t now_ms);
// For a Slack-compatible incoming webhook.
std::string slack_json(const Notification& notification, const Integration& integration);
// For Alertmanager's POST /api/v2/alerts. A firing alert ends four times `resend_delay` after `now_ms`, unless it is
// sent again.
std::string alertmanager_json(const Notification& notification, int64_t now_ms, int64_t resend_delay_ms);
// One record of a Kafka topic: `alert` is one of the notification's.
std::string record_json(const Notification& notification, const rules::Alert& alert);

}  // namespace monitor::notify
