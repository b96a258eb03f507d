// Api: alerts, their history, and silences.
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

using namespace schema;  // NOLINT(google-build-using-namespace)
using access::Role;

Schema silence_schema() {
  return object({{"id", text()},
                 {"matchers", list(text(), "such as agent=~\"web-.*\"; all must hold")},
                 {"startsAt", text("RFC 3339")},
                 {"endsAt", text("RFC 3339")},
                 {"createdAt", text("RFC 3339")},
                 {"updatedAt", text("RFC 3339")},
                 {"author", text()},
                 {"reason", text()},
                 {"state", one_of({"pending", "active", "expired"})}});
}

Schema silence_body() {
  return object({{"id", text("of the silence to change; missing: a new one").optional()},
                 {"matchers", list(text("such as agent=~\"web-.*\""))},
                 {"startsAt", text("RFC 3339; missing: now").optional()},
                 {"endsAt", text("RFC 3339")},
                 {"reason", text()}});
}

Schema alert_list(const char* description) { return object({{"alerts", list(open_object(), description)}}); }

ChangedBy changed_by(const Call& call) {
  return {call.who, call.request.address, call.request.forwarded_for, call.request.origin};
}

}  // namespace

void Api::declare_alerts(RouteTable& table) {
  table.routes.push_back({.method = "GET",
                          .path = "/alerts",
                          .role = Role::kViewer,
                          .id = "getAlerts",
                          .summary = "Alerts that are firing or pending, and what suppresses them",
                          .result = object({{"alerts", list(open_object(),
                                                            "as in `monitor-analysis alert list "
                                                            "--format json`")},
                                            {"receivers", list(object({{"receiver", text()},
                                                                       {"integration", text()},
                                                                       {"waiting", integer("notifications")},
                                                                       {"trouble", text("why the last attempt failed, "
                                                                                        "or empty")}}))}}),
                          .handler = [this](const Call& call) {
                            alerts_executor_.submit(call.responder, [this] { return alerts_.alerts(); });
                          }});
  table.routes.push_back({.method = "GET",
                          .path = "/alerts/history",
                          .role = Role::kViewer,
                          .id = "getAlertHistory",
                          .summary = "Past alerts, and the results of their notifications",
                          .parameters = {{.name = "from",
                                          .description = "The oldest end of an alert.",
                                          .type = Parameter::Type::kTime,
                                          .otherwise = "-1d"},
                                         {.name = "limit",
                                          .description = "The most alerts to return.",
                                          .type = Parameter::Type::kInteger,
                                          .min = 1,
                                          .max = 10'000,
                                          .otherwise = "100"}},
                          .result = alert_list("as in `monitor-analysis alert history --format json`"),
                          .handler = [this](const Call& call) {
                            alerts_executor_.submit(call.responder, [this, from = call.query.time("from").value_or(0),
                                                                     most = call.query.integer("limit").value_or(1)] {
                              return alerts_.history(from, static_cast<size_t>(most));
                            });
                          }});
}

void Api::declare_silences(RouteTable& table) {
  table.routes.push_back({.method = "GET",
                          .path = "/silences",
                          .role = Role::kViewer,
                          .id = "getSilences",
                          .summary = "Silences, also those that have ended",
                          .result = object({{"silences", list(silence_schema())}}),
                          .handler = [this](const Call& call) {
                            alerts_executor_.submit(call.responder, [this] { return alerts_.silences(); });
                          }});
  table.routes.push_back({.method = "POST",
                          .path = "/silences",
                          .role = Role::kEditor,
                          .id = "setSilence",
                          .summary = "Create or change a silence",
                          .result = silence_schema(),
                          .errors = {{404, "There is no such silence."},
                                     {409, "The silence has expired."},
                                     {413, "The body is too large."}},
                          .body = silence_body(),
                          .handler = [this](const Call& call) {
                            alerts_executor_.submit(call.responder,
                                                    [this, body = call.request.body, by = changed_by(call)] {
                                                      return alerts_.set_silence(body, by);
                                                    });
                          }});
  table.routes.push_back({.method = "POST",
                          .path = "/silences/expire",
                          .role = Role::kEditor,
                          .id = "expireSilence",
                          .summary = "End a silence now",
                          .parameters = {{.name = "id", .description = "The silence's id.", .required = true}},
                          .result = silence_schema(),
                          .errors = {{404, "There is no such silence."}, {409, "The silence has expired already."}},
                          .handler = [this](const Call& call) {
                            alerts_executor_.submit(call.responder,
                                                    [this, id = call.query.text("id"), by = changed_by(call)] {
                                                      return alerts_.expire_silence(id, by);
                                                    });
                          }});
}

}  // namespace monitor::analysis::web
