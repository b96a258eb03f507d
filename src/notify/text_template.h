// Texts of notifications that an operator has written, in the language of the templates of rules and Alertmanager:
// {{ .CommonLabels.alertname }}: {{ range .Alerts.Firing }}{{ .Annotations.summary }}{{ end }}. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "notify/notification.h"

namespace monitor::notify {

// Whether the template is valid, and can be expanded for an ordinary notification. The error has the place in the text.
Status check_template(std::string_view text);

// A template that cannot be expanded hides no notification: `otherwise` follows what is wrong.
std::string expand_template(std::string_view text, const Notification& notification, const std::string& otherwise);

}  // namespace monitor::notify
