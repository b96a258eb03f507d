// Api: the ledger, which accounts for every batch.
#include <fmt/format.h>

#include "ui/web/api.h"
#include "views/ledger/report.h"

namespace monitor::analysis::web {

namespace {

Schema ledger_row() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  const auto ranges_of = [](std::string_view what) { return list(list(integer()), what); };
  return object({
      {"agent", text()},
      {"incarnation", text("one run of the agent")},
      {"host", text()},
      {"first_sequence", integer()},
      {"last_sequence", integer()},
      {"batches_stored", integer()},
      {"duplicates", integer("batches stored more than once")},
      {"dropped", list(object({{"stage", text()},
                               {"reason", text()},
                               {"plugin", text("that dropped them").optional()},
                               {"batches", integer()},
                               {"points", integer()}}))},
      {"missing", ranges_of("sequences that are neither stored nor explained: [first, last] each")},
      {"elsewhere", ranges_of("sequences that went to another metric log")},
      {"other_logs", list(text("the identity of such a log"))},
      {"expired", ranges_of("sequences that the log's retention removed before they were read")},
      {"ticks_due", integer()},
      {"ticks_missed", integer()},
      {"points_made", integer()},
      {"points_stored", integer()},
      {"clean", boolean("the run ended in order; null: it runs, or its end is unknown").or_null()},
      {"end",
       one_of({"unknown", "running", "stopped", "unclean"},
              "running: a record arrived within 30 s. stopped: it ended cleanly. unclean: the next run reports that "
              "it was killed.")},
      {"unknown_tail", boolean("batches after the last stored one may have existed")},
      {"waiting", ranges_of("sequences that are expected to arrive")},
      {"ticks_stored", integer()},
      {"late", integer("ticks stored long after their time")},
      {"conflict", boolean("another run of the same id overlaps with this one")},
      {"conflicts", integer("batches with a sequence that is already stored with other content")},
      {"conflict_examples", list(object({{"sequence", integer()},
                                         {"kind", one_of({"content", "implausible"})},
                                         {"partition", integer()},
                                         {"first_offset", integer().or_null()},
                                         {"offset", integer()},
                                         {"time", text("RFC 3339").or_null()},
                                         {"why", text()}}))},
      {"outlived_end", boolean("batches are stored above the sequence at which the run ended")},
      {"first_time", text("RFC 3339").or_null()},
      {"last_time", text("RFC 3339").or_null()},
  });
}

}  // namespace

void Api::declare_ledger(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  table.routes.push_back(
      {.method = "GET",
       .path = "/ledger",
       .role = access::Role::kViewer,
       .id = "getLedger",
       .summary = "What became of every batch: one row for each run of an agent, as in "
                  "`monitor-analysis ledger --format json`",
       .parameters = {{.name = "agent", .description = "Only agents that match this shell pattern."},
                      {.name = "missing_after",
                       .description = "How long a gap may stay open before its batches count as missing.",
                       .type = Parameter::Type::kDuration,
                       .otherwise = "60s",
                       .example = "60s"}},
       .result = object({{"incarnations", list(ledger_row())},
                         {"skipped", integer("records that could not be decoded")},
                         {"lost", integer("records deleted from the log before they were read")}}),
       .handler = [this](const Call& call) { call.reply(ledger(call.query)); }});
}

Reply Api::ledger(const Query& query) {
  ReportOptions options{.agent = query.text("agent"),
                        .now_ns = clock_.wall_ns(),
                        .missing_after_ns = query.duration("missing_after").value_or(0),
                        .forgotten = config_view_.forgotten};
  const std::lock_guard lock(state_.mutex);
  options.log = state_.log.identity;
  std::string out = R"({"incarnations":[)";
  bool first = true;
  for (const LedgerRow& one : report(state_.ledger, options)) {
    out += (first ? "" : ",") + to_json(one);
    first = false;
  }
  return json_reply(out + fmt::format(R"(],"skipped":{},"lost":{}}})", state_.log.skipped, state_.log.lost));
}

}  // namespace monitor::analysis::web
