// Api: the ledger, which accounts for every batch.
#include <fmt/format.h>

#include "base/hex.h"
#include "ui/web/api.h"
#include "views/ledger/report.h"
#include "views/ledger/run_ranges.h"

namespace monitor::analysis::web {

namespace {

Schema sums() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  const auto amount = [](std::string_view what) {
    return object({{"batches", integer()}, {"points", integer()}}, what);
  };
  return object({{"made", amount("batches up to the highest sequence that is known; points until the newest stored "
                                 "batch was closed, and those that are known to be dropped later")},
                 {"stored", amount("in the log")},
                 {"dropped", amount("with a reason")},
                 {"waiting", amount("expected to arrive")},
                 {"missing", amount("neither stored nor explained")},
                 {"elsewhere", amount("in another metric log")},
                 {"expired", amount("removed by the log's retention before they were read")},
                 {"unread", amount("before the part of the log that was read")},
                 {"estimated", boolean("points of batches with different outcomes are known only together")}},
                "what became of everything that the run made; the parts add up to `made`");
}

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
                               {"points", integer()},
                               {"ticks", integer()},
                               {"first_time", text("RFC 3339; of the lost ticks, as far as it is known").or_null()},
                               {"last_time", text("RFC 3339").or_null()},
                               {"unplaced", boolean("only their number is known, not which ones and of which run: "
                                                    "they are in no sum")
                                                .optional()}}))},
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
      {"unread", ranges_of("sequences in the part of the log before the one that was read")},
      {"sums", sums()},
  });
}

Schema run_detail() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  const auto time_text = [](std::string_view what) { return text(what).or_null(); };
  return object({
      {"run", ledger_row()},
      {"ranges",
       list(object({{"kind", one_of({"stored", "dropped", "waiting", "missing", "elsewhere", "expired", "unread"})},
                    {"first", integer("sequence")},
                    {"last", integer("sequence")},
                    {"batches", integer("fewer than sequences if stored ones are within a range of drops")},
                    {"points", integer("null: unknown").or_null()},
                    {"stage", text("where they were dropped; else empty")},
                    {"reason", text("why they were dropped; else empty")},
                    {"first_time", time_text("RFC 3339; of the lost ticks")},
                    {"last_time", time_text("RFC 3339")},
                    {"since", time_text("RFC 3339, by the log's clock: since when they are missing")}}),
            "what became of the run's batches, in the order of their sequences; at most the newest 500")},
      {"older", integer("ranges that are left out")},
      {"losses", list(object({{"stage", text()},
                              {"reason", text()},
                              {"plugin", text("that dropped them, or empty")},
                              {"ticks", integer()},
                              {"points", integer()},
                              {"first_time", time_text("RFC 3339; of the lost ticks")},
                              {"last_time", time_text("RFC 3339")}}),
                      "what was lost before it was in a batch; the newest 16 of each kind, of which the first may be "
                      "the sum of older ones")},
  });
}

Parameter missing_after() {
  return {.name = "missing_after",
          .description = "How long a gap may stay open before its batches count as missing.",
          .type = Parameter::Type::kDuration,
          .otherwise = "60s",
          .example = "60s"};
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
       .parameters = {{.name = "agent", .description = "Only agents that match this shell pattern."}, missing_after()},
       .result = object({{"incarnations", list(ledger_row())},
                         {"skipped", integer("records that could not be decoded")},
                         {"lost", integer("records deleted from the log before they were read")}}),
       .handler = [this](const Call& call) { call.reply(ledger(call.query)); }});
  table.routes.push_back(
      {.method = "GET",
       .path = "/ledger/run",
       .role = access::Role::kViewer,
       .id = "getLedgerRun",
       .summary = "What became of every batch of one run of an agent, as ranges of sequences",
       .parameters = {{.name = "agent", .description = "The agent's id.", .required = true},
                      {.name = "incarnation", .description = "The run, as `/ledger` names it.", .required = true},
                      missing_after()},
       .result = run_detail(),
       .errors = {{404, "The ledger has no such run."}},
       .handler = [this](const Call& call) { call.reply(ledger_run(call.query)); }});
}

ReportOptions Api::ledger_options(const Query& query) const {
  return {.agent = query.text("agent"),
          .now_ns = clock_.wall_ns(),
          .missing_after_ns = query.duration("missing_after").value_or(0),
          .forgotten = config_view_.forgotten};
}

Reply Api::ledger(const Query& query) {
  ReportOptions options = ledger_options(query);
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

Reply Api::ledger_run(const Query& query) {
  ReportOptions options = ledger_options(query);
  const auto incarnation = unhex(query.text("incarnation"));
  const std::lock_guard lock(state_.mutex);
  options.log = state_.log.identity;
  const auto detail = incarnation ? detail_of(state_.ledger, options.agent, *incarnation, options) : std::nullopt;
  if (!detail) return error_reply(404, "the ledger has no such run of this agent");
  return json_reply(to_json(*detail));
}

}  // namespace monitor::analysis::web
