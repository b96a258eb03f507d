// Api: the partitions of the metric log, and how far its readers are behind.
#include <algorithm>

#include "ui/web/api.h"

namespace monitor::analysis::web {

namespace {

Schema position() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"partition", integer()},
                 {"next", integer("the offset to read next")},
                 {"lag", integer("records between it and the end")}});
}

Schema log_result() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object(
      {{"log", text("its address")},
       {"partitions",
        list(object({{"partition", integer()},
                     {"begin", integer("offset of the oldest record")},
                     {"end", integer("offset after the newest record")},
                     {"records", integer()},
                     {"oldest", time("when the log stored the oldest record; null: unknown").or_null()},
                     {"newest", time("when the log stored the newest record; null: unknown").or_null()},
                     {"bytes", integer("on disk, without pages that are free; null: the log does not tell").or_null()},
                     {"mean_bytes", number("of a record's key and value, before compression, among those read since "
                                           "the start of the page's server; null: none was read")
                                        .or_null()}}))},
       {"groups", list(object({{"group", text()},
                               {"partition", integer()},
                               {"next", integer("the offset to read next")},
                               {"lag", integer("records between it and the end")}}),
                       "how far each consumer group has read")},
       {"groups_error", text("why the groups are unknown; empty: they are known")},
       {"reader", list(position(),
                       "how far this page's own reader has read, in partitions of which it has read a "
                       "record since the start of the page's server")}});
}

Schema lag_result() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"since", time("the oldest sample that is kept; null: there is none yet").or_null()},
                 {"kept", integer("for how many seconds samples are kept, at most since the start of the program")},
                 {"step", integer("seconds between samples; in steps of 120 s, each lag is the largest in its step")},
                 {"times", list(time())},
                 {"stored", list(integer(), "the sum of the ends of all partitions at these times")},
                 {"reader", list(integer().or_null(), "records that this page's own reader had not read")},
                 {"groups", list(object({{"group", text()}, {"lag", list(integer().or_null())}}),
                                 "the same of each consumer group, in all partitions together")}});
}

Schema log_event() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object(
      {{"trouble", text("empty: the log can be read again")}, {"since", time("start of the trouble").or_null()}});
}

}  // namespace

void Api::declare_log(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
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
  table.routes.push_back({.method = "GET",
                          .path = "/log/lag",
                          .role = access::Role::kViewer,
                          .id = "getLag",
                          .summary = "How far the readers of the metric log were behind, over time. The program "
                                     "keeps an hour in steps of 10 s and a day in steps of 120 s, in memory",
                          .parameters = {{.name = "span",
                                          .description = "How far back, at most 24h.",
                                          .type = Parameter::Type::kDuration,
                                          .otherwise = "1h"}},
                          .result = lag_result(),
                          .handler = [this](const Call& call) {
                            const int64_t span =
                                std::min(call.query.duration("span").value_or(0), LagHistory::kKeptFor);
                            const int64_t now = clock_.wall_ns();
                            log_executor_.submit(call.responder, [this, span, now] { return log_.lag(span, now); });
                          }});
}

}  // namespace monitor::analysis::web
