// Api: the partitions and records of the metric log.
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

Schema message_schema() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"partition", integer()},
                 {"offset", integer()},
                 {"time", time("by the log's clock")},
                 {"key", text()},
                 {"bytes", integer()},
                 {"headers", map(text(), "values that are not text are in hex")},
                 {"agent", text().optional()},
                 {"sequence", integer().optional()},
                 {"ticks", integer().optional()},
                 {"points", integer().optional()},
                 {"batch", open_object("the decoded batch, as docs/payload.md describes it").optional()},
                 {"error", text("why the record cannot be decoded").optional()},
                 {"too_large", boolean("the batch is omitted because its JSON is too large").optional()}});
}

Schema log_result() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"log", text("its address")},
                 {"partitions", list(object({{"partition", integer()},
                                             {"begin", integer("offset of the oldest record")},
                                             {"end", integer("offset after the newest record")},
                                             {"records", integer()}}))},
                 {"groups", list(object({{"group", text()},
                                         {"partition", integer()},
                                         {"next", integer("the offset to read next")},
                                         {"lag", integer("records between it and the end")}}),
                                 "how far each consumer group has read")},
                 {"groups_error", text("why the groups are unknown; empty: they are known")}});
}

Schema message_event() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"partition", integer()},
                 {"offset", integer()},
                 {"time", time("by the log's clock")},
                 {"key", text()},
                 {"agent", text()},
                 {"bytes", integer()},
                 {"ticks", integer()}});
}

Schema log_event() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object(
      {{"trouble", text("empty: the log can be read again")}, {"since", time("start of the trouble").or_null()}});
}

std::vector<Parameter> search_parameters() {
  return {
      {.name = "partition",
       .description = "Only this partition; all by default.",
       .type = Parameter::Type::kInteger,
       .max = 100'000,
       .example = "0"},
      {.name = "offset",
       .description = "Start at this offset and go towards newer records. Requires `partition`.",
       .type = Parameter::Type::kInteger,
       .max = INT64_MAX - 1000},
      {.name = "agent", .description = "Only records of agents that match this shell pattern."},
      {.name = "metric",
       .description =
           "Only records with a series that matches: a plain name selects a family, otherwise a shell pattern."},
      {.name = "since", .description = "Not older, by the log's clock.", .type = Parameter::Type::kTime},
      {.name = "until", .description = "Older than this, by the log's clock.", .type = Parameter::Type::kTime},
      {.name = "cursor", .description = "The `cursor` of the previous result, to continue from there."},
      {.name = "limit",
       .description = "How many messages to return.",
       .type = Parameter::Type::kInteger,
       .min = 1,
       .max = 200,
       .otherwise = "50",
       .example = "20"},
  };
}

}  // namespace

void Api::declare_log(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  table.schemas.emplace_back("Message", message_schema());
  table.schemas.emplace_back("MessageEvent", message_event());
  table.schemas.emplace_back("LogEvent", log_event());
  table.routes.push_back({.method = "GET",
                          .path = "/log",
                          .role = access::Role::kViewer,
                          .id = "getLog",
                          .summary = "The metric log: its partitions, and the positions of its consumer groups",
                          .result = log_result(),
                          .handler = [this](const Call& call) {
                            log_executor_.submit(call.responder, [this] { return log_.overview(); });
                          }});
  table.routes.push_back(
      {.method = "GET",
       .path = "/messages",
       .role = access::Role::kViewer,
       .id = "getMessages",
       .summary = "Decoded records of the log, newest first",
       .parameters = search_parameters(),
       .result = object(
           {{"messages", list(ref("Message"))},
            {"looked_at", integer("records that were examined for this result")},
            {"cursor", text("pass it on to continue with older records; null: the search is complete").or_null()}}),
       .handler = [this](const Call& call) { messages(call); }});
}

void Api::messages(const Call& call) {
  const Query& query = call.query;
  const auto cursor = parse_cursor(query.text("cursor"));
  if (!cursor) {
    call.reply(error_reply(cursor.error()));
    return;
  }
  MessageSearch search;
  search.partition = static_cast<int32_t>(query.integer("partition").value_or(-1));
  search.offset = query.integer("offset").value_or(-1);
  if (search.offset >= 0 && search.partition < 0) {
    call.reply(error_reply(400, "query: offset: requires a partition"));
    return;
  }
  search.limit = static_cast<size_t>(query.integer("limit").value_or(0));
  search.since_ns = query.time("since").value_or(0);
  search.until_ns = query.time("until").value_or(INT64_MAX);
  search.cursor = *cursor;
  search.agent = query.text("agent");
  search.metric = query.text("metric");
  log_executor_.submit(call.responder, [this, search] { return log_.messages(search); });
}

}  // namespace monitor::analysis::web
