#include "notify/text_template.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "rules/template.h"
#include "rules/template_value.h"

namespace monitor::notify {

namespace {

using rules::TemplateMap;
using rules::TemplateValue;

TemplateValue texts(const std::vector<std::pair<std::string, std::string>>& pairs) {
  auto map = std::make_shared<TemplateMap>();
  map->kind = TemplateMap::Kind::kTexts;
  for (const auto& [name, value] : pairs) map->values.emplace(name, TemplateValue{value});
  return {TemplateValue::Map(std::move(map))};
}

TemplateValue alert_value(const rules::Alert& alert, const std::string& external_url) {
  const bool resolved = alert.state == rules::AlertState::kResolved;
  auto map = std::make_shared<TemplateMap>();
  map->kind = TemplateMap::Kind::kFields;
  map->values = {{"Status", {std::string(resolved ? "resolved" : "firing")}},
                 {"Labels", rules::labels_value(alert.labels)},
                 {"Annotations", texts(alert.annotations)},
                 {"StartsAt", {time_text(alert.fired_at_ms)}},
                 {"EndsAt", {resolved ? time_text(alert.resolved_at_ms) : std::string()}},
                 {"Value", {alert.value}},
                 {"GeneratorURL", {generator_url(alert, external_url)}},
                 {"Fingerprint", {fingerprint_text(fingerprint(alert.labels))}}};
  return {TemplateValue::Map(std::move(map))};
}

TemplateMap fields_of(const Notification& notification) {
  auto alerts = std::make_shared<std::vector<TemplateValue>>();
  for (const rules::Alert& alert : notification.alerts)
    alerts->push_back(alert_value(alert, notification.external_url));
  TemplateMap fields{.kind = TemplateMap::Kind::kFields, .values = {}};
  fields.values = {{"Receiver", {notification.receiver}},
                   {"Status", {std::string(notification.resolved() ? "resolved" : "firing")}},
                   {"Alerts", {TemplateValue::List(std::move(alerts))}},
                   {"GroupLabels", rules::labels_value(notification.group_labels)},
                   {"CommonLabels", rules::labels_value(common_labels(notification))},
                   {"CommonAnnotations", texts(common_annotations(notification))},
                   {"ExternalURL", {notification.external_url}},
                   {"NotificationId", {notification.id}}};
  return fields;
}

Result<std::string> expand(std::string_view text, const Notification& notification) {
  const auto parsed = rules::Template::parse(text);
  if (!parsed) return parsed.error();
  const TemplateMap fields = fields_of(notification);
  rules::TemplateContext context;
  context.fields = &fields;
  context.external_url = notification.external_url;
  return parsed->expand(context);
}

}  // namespace

Status check_template(std::string_view text) {
  Notification sample;
  rules::Alert alert;
  alert.labels = query::Labels({{"alertname", "DiskFull"}, {"agent", "web-1"}, {"severity", "page"}});
  alert.annotations = {{"summary", "the disk is full"}};
  alert.state = rules::AlertState::kFiring;
  sample.alerts = {alert};
  const auto expanded = expand(text, sample);
  return expanded ? Status() : expanded.error();
}

std::string expand_template(std::string_view text, const Notification& notification, const std::string& otherwise) {
  auto expanded = expand(text, notification);
  if (expanded) return std::move(*expanded);
  return fmt::format("<error expanding template: {}> {}", expanded.error().message(), otherwise);
}

}  // namespace monitor::notify
