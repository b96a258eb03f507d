// Texts of notifications that an operator has written, in the language of the templates of rules and Alertmanager:
// {{ .CommonLabels.alertname }}: {{ range .Alerts.Firing }}{{ .Annotations.summary }}{{ end }}. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "notify/notification.h"

namespace monitor::notify {

// Checks that the template is valid and can be expanded for an ordinary notification. The error has the place in the
// text.
Status check_template(std::string_view text);

// Expands the template. If that fails, returns the error followed by `otherwise`, so that no notification is lost.
std::string expand_template(std::string_view text, const Notification& notification, const std::string& otherwise);

}  // namespace monitor::notify
