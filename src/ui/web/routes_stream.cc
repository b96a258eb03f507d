// Api: live events, and the description of the API.
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kMostTopics = 64;

}  // namespace

void Api::declare_stream(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  table.schemas.emplace_back("Error", object({{"error", text("what is wrong, for people")}}));
  table.schemas.emplace_back(
      "TickEvent", object({{"agent", text()},
                           {"time", time()},
                           {"late", boolean("stored long after its time")},
                           {"values", map(number().or_null(),
                                          "by series, such as system.disk.io.rate{disk.io.direction=read}; at most "
                                          "5,000")}}));
  table.routes.push_back(
      {.method = "GET",
       .path = "/stream",
       .role = access::Role::kViewer,
       .id = "followEvents",
       .summary = "Server-sent events with JSON data: fleet (FleetEvent), tick (TickEvent, for topics agent:NAME), "
                  "log (LogEvent) and config (ConfigEvent). `alive` comes first, and whenever nothing else happens. "
                  "After `reset`, events were missed: load everything again. With "
                  "Last-Event-ID, the stream resumes after that event.",
       .parameters = {{.name = "topic",
                       .description = "What to follow: fleet, log, config or agent:NAME.",
                       .required = true,
                       .most = kMostTopics},
                      {.name = "after", .description = "Resume after the event with this id."}},
       .result = text(),
       .errors = {{429, "This address has too many streams. Retry-After says when to try again."}},
       .content_type = "text/event-stream",
       .handler = [this](const Call& call) { stream(call); }});
  table.routes.push_back({.method = "GET",
                          .path = "/openapi.json",
                          .role = access::Role::kViewer,
                          .id = "getOpenApi",
                          .summary = "This description",
                          .result = open_object(),
                          .handler = [this](const Call& call) { call.reply({.body = description_}); }});
}

void Api::stream(const Call& call) {
  StreamStart start;
  start.topics = call.query.all("topic");
  const std::string after = call.request.last_event_id.empty() ? call.query.text("after") : call.request.last_event_id;
  start.place = broadcaster_.last();
  if (!after.empty()) {
    const auto number = broadcaster_.number_of(after);
    start.reset = !number;
    if (number) start.place = *number;
  }
  if (gate_.closed()) {
    start.may_continue = [this](const Request& request) { return gate_.still_reads(request); };
  }
  call.responder.stream(std::move(start));
}

}  // namespace monitor::analysis::web
