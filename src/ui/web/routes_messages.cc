// Api: the records of the metric log, called messages on the page.
#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

constexpr int64_t kMostPartitions = 100'000;
constexpr int64_t kMostOffset = INT64_MAX - 1000;

std::pair<int32_t, int64_t> place_of(const Query& query) {
  return {static_cast<int32_t>(query.integer("partition").value_or(0)), query.integer("offset").value_or(0)};
}

Schema message_schema() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"partition", integer()},
                 {"offset", integer()},
                 {"time", time("by the log's clock")},
                 {"key", text()},
                 {"bytes", integer()},
                 {"headers", map(text(), "values that are not text are in hex")},
                 {"all_headers", list(object({{"name", text()},
                                              {"bytes", integer("of the value")},
                                              {"text", boolean("false: the value is not text, and is here in hex")},
                                              {"value", text()}}),
                                      "as they are stored, also those of a name that came before")
                                     .optional()},
                 {"agent", text().optional()},
                 {"host", text().optional()},
                 {"sequence", integer().optional()},
                 {"ticks", integer().optional()},
                 {"points", integer().optional()},
                 {"first_tick", time("by the agent's clock").optional()},
                 {"last_tick", time("by the agent's clock").optional()},
                 {"batch", open_object("the decoded batch, as docs/payload.md describes it").optional()},
                 {"error", text("why the record cannot be decoded").optional()},
                 {"too_large", boolean("the batch is omitted because its JSON is too large").optional()}});
}

std::vector<Parameter> search_parameters() {
  return {
      {.name = "partition",
       .description = "Only this partition; all by default.",
       .type = Parameter::Type::kInteger,
       .max = kMostPartitions,
       .example = "0"},
      {.name = "offset",
       .description = "Start at this offset and go towards newer records. Requires `partition`. Without "
                      "`order=oldest`, the first `limit` records from there on, newest first.",
       .type = Parameter::Type::kInteger,
       .max = kMostOffset},
      {.name = "agent", .description = "Only records of agents that match this shell pattern."},
      {.name = "metric",
       .description =
           "Only records with a series that matches: a plain name selects a family, otherwise a shell pattern."},
      {.name = "since", .description = "Not older, by the log's clock.", .type = Parameter::Type::kTime},
      {.name = "until", .description = "Older than this, by the log's clock.", .type = Parameter::Type::kTime},
      {.name = "tick_since",
       .description = "Only records with a tick that is not older, by the agent's clock.",
       .type = Parameter::Type::kTime},
      {.name = "tick_until",
       .description = "Only records with a tick that is older than this, by the agent's clock.",
       .type = Parameter::Type::kTime},
      {.name = "kind",
       .description = "Only records that can be decoded, or only those that cannot.",
       .type = Parameter::Type::kChoice,
       .choices = {"all", "decoded", "corrupt"},
       .otherwise = "all"},
      {.name = "order",
       .description = "In which direction to search.",
       .type = Parameter::Type::kChoice,
       .choices = {"newest", "oldest"},
       .otherwise = "newest"},
      {.name = "content",
       .description = "Whether the messages contain their batches.",
       .type = Parameter::Type::kChoice,
       .choices = {"batch", "summary"},
       .otherwise = "batch"},
      {.name = "cursor",
       .description = "The `cursor` of the previous result, to continue from there in the same order."},
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

void Api::declare_messages(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  table.schemas.emplace_back("Message", message_schema());
  table.routes.push_back(
      {.method = "GET",
       .path = "/messages",
       .role = access::Role::kViewer,
       .id = "getMessages",
       .summary = "Records of the log. A search examines at most some thousand records and returns a cursor with "
                  "which it continues",
       .parameters = search_parameters(),
       .result = object(
           {{"messages", list(ref("Message"))},
            {"looked_at", integer("records that were examined for this result")},
            {"left", integer("records of the searched range that were not examined yet")},
            {"cursor", text("pass it on to continue. Newest first: null if the search is complete. Oldest first: also "
                            "continues with records that are yet to come")
                           .or_null()},
            {"follow", text("newest first, without a cursor: pass it on with order=oldest for the records after this "
                            "search's range; otherwise null")
                           .or_null()}}),
       .handler = [this](const Call& call) { messages(call); }});
  declare_message(table);
}

void Api::declare_message(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  const std::vector<Parameter> place = {
      {.name = "partition",
       .type = Parameter::Type::kInteger,
       .required = true,
       .max = kMostPartitions,
       .example = "0"},
      {.name = "offset", .type = Parameter::Type::kInteger, .required = true, .max = kMostOffset, .example = "1"}};
  const std::vector<ErrorReply> errors = {{404, "The log does not hold this record."}};
  table.routes.push_back({.method = "GET",
                          .path = "/message",
                          .role = access::Role::kViewer,
                          .id = "getMessage",
                          .summary = "One record of the log, with all of its headers and its batch",
                          .parameters = place,
                          .result = ref("Message"),
                          .errors = errors,
                          .handler = [this](const Call& call) {
                            const auto [partition, offset] = place_of(call.query);
                            log_executor_.submit(call.responder,
                                                 [this, partition, offset] { return log_.message(partition, offset); });
                          }});
  std::vector<Parameter> part = place;
  part.push_back({.name = "from",
                  .description = "The first byte.",
                  .type = Parameter::Type::kInteger,
                  .max = UINT32_MAX,
                  .otherwise = "0"});
  part.push_back({.name = "bytes",
                  .description = "At most so many bytes; all by default.",
                  .type = Parameter::Type::kInteger,
                  .min = 1,
                  .max = UINT32_MAX});
  table.routes.push_back({.method = "GET",
                          .path = "/message/value",
                          .role = access::Role::kViewer,
                          .id = "getMessageValue",
                          .summary = "The bytes of one record's value, as they are stored",
                          .parameters = std::move(part),
                          .result = text().with("format", R"("binary")"),
                          .errors = errors,
                          .content_type = "application/octet-stream",
                          .handler = [this](const Call& call) {
                            const auto [partition, offset] = place_of(call.query);
                            const auto from = static_cast<size_t>(call.query.integer("from").value_or(0));
                            const auto most = static_cast<size_t>(call.query.integer("bytes").value_or(UINT32_MAX));
                            log_executor_.submit(call.responder, [this, partition, offset, from, most] {
                              return log_.value(partition, offset, from, most);
                            });
                          }});
}

void Api::messages(const Call& call) {
  const Query& query = call.query;
  const auto cursor = parse_cursor(query.text("cursor"));
  if (!cursor) {
    call.reply(error_reply(cursor.error()));
    return;
  }
  using Kind = MessageSearch::Kind;
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
  search.tick_since_ns = query.time("tick_since").value_or(0);
  search.tick_until_ns = query.time("tick_until").value_or(INT64_MAX);
  search.cursor = *cursor;
  search.agent = query.text("agent");
  search.metric = query.text("metric");
  const std::string kind = query.text("kind");
  search.kind = kind == "corrupt" ? Kind::kCorrupt : kind == "decoded" ? Kind::kDecoded : Kind::kAll;
  if (query.text("order") == "oldest") search.order = MessageSearch::Order::kOldest;
  const auto content = query.text("content") == "summary" ? MessageContent::kSummary : MessageContent::kBatch;
  log_executor_.submit(call.responder, [this, search, content] { return log_.messages(search, content); });
}

}  // namespace monitor::analysis::web
