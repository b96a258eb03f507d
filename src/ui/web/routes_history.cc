// Api: the content of the history. Each reader has its own thread.
#include <fmt/format.h>

#include "base/text.h"
#include "ui/web/api.h"
#include "ui/web/values_json.h"
#include "views/history/query.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kMostAgents = 200;
constexpr int64_t kDefaultSpan = int64_t{15} * 60 * kNanosPerSecond;

Schema series_schema() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  const auto reduced = [] { return list(number().or_null(), "for a resolution other than full").optional(); };
  return object({{"agent", text()},
                 {"metric", text()},
                 {"labels", map(text())},
                 {"unit", text("UCUM code")},
                 {"kind", one_of({"gauge", "counter"})},
                 {"times", list(time(), "of a tick, or of the start of a bucket")},
                 {"values", list(number().or_null(), "for the resolution full").optional()},
                 {"avg", reduced()},
                 {"min", reduced()},
                 {"max", reduced()},
                 {"count", list(integer(), "values in each bucket").optional()}});
}

Schema range_result() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({{"resolution", one_of({"full", "1s", "10s", "1m", "1h"})},
                 {"from", time()},
                 {"to", time()},
                 {"live_id", text("the result contains every event up to this one")},
                 {"series", list(ref("Series"))},
                 {"metrics", map(object({{"title", text()}, {"description", text()}}),
                                 "by name: the metrics of the range that a collector declares")}});
}

Schema series_result() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object(
      {{"agent", text()},
       {"series", list(object({{"metric", text()}, {"labels", map(text())}, {"unit", text()}}))},
       {"extents",
        list(object({{"resolution", one_of({"full", "1s", "10s", "1m", "1h"})}, {"first", time()}, {"last", time()}}),
             "how far the history reaches at each resolution")}});
}

}  // namespace

void Api::declare_history(RouteTable& table) {
  table.schemas.emplace_back("Series", series_schema());
  table.routes.push_back(
      {.method = "GET",
       .path = "/range",
       .role = access::Role::kViewer,
       .id = "getRange",
       .summary = "Values of agents over a range of time, from the history",
       .parameters = {{.name = "agent", .description = "The agents' ids.", .required = true, .most = kMostAgents},
                      {.name = "metric",
                       .description = "A plain name selects a family (cpu is system.cpu and everything below it). A "
                                      "shell pattern must match a whole name or a whole name{label=value}.",
                       .example = "system.cpu.*"},
                      {.name = "from",
                       .description = "Start of the range; 15 minutes before `to` by default.",
                       .type = Parameter::Type::kTime},
                      {.name = "to",
                       .description = "End of the range, exclusive; now by default.",
                       .type = Parameter::Type::kTime},
                      {.name = "resolution",
                       .description = "auto: the finest one that yields about `points` and reaches back to `from`.",
                       .type = Parameter::Type::kChoice,
                       .choices = {"auto", "full", "1s", "10s", "1m", "1h"},
                       .otherwise = "auto"},
                      {.name = "points",
                       .description = "How many points a series should have at the resolution auto.",
                       .type = Parameter::Type::kInteger,
                       .min = 1,
                       .max = 100'000,
                       .otherwise = "600",
                       .example = "300"}},
       .result = range_result(),
       .errors = {{404, "The history does not exist yet."}, {413, "The result has more than 2,500,000 points."}},
       .handler = [this](const Call& call) { range(call); }});
  table.routes.push_back({.method = "GET",
                          .path = "/series",
                          .role = access::Role::kViewer,
                          .id = "getSeries",
                          .summary = "The series of an agent that the history holds",
                          .parameters = {{.name = "agent", .description = "The agent's id.", .required = true}},
                          .result = series_result(),
                          .errors = {{404, "The history does not exist yet."}},
                          .handler = [this](const Call& call) { series(call); }});
}

BlockingExecutor& Api::history_executor(size_t& index) {
  index = next_executor_++ % history_executors_.size();
  return *history_executors_[index];
}

// Runs on the executor's thread.
Reply Api::history_reply(size_t executor, const std::function<Reply(history::HistoryReader&)>& ask) {
  auto& reader = history_readers_[executor];
  if (!reader) {
    auto opened = history::HistoryReader::open(options_.history_path);
    if (!opened) return error_reply(opened.error());
    reader = std::move(*opened);
  }
  Reply reply = ask(*reader);
  if (reply.status >= 500) reader.reset();  // the file may have been replaced
  return reply;
}

void Api::range(const Call& call) {
  const int64_t now = clock_.wall_ns();
  history::RangeRequest request;
  request.agents = call.query.all("agent");
  request.metric = call.query.text("metric");
  request.to_ns = call.query.time("to").value_or(now + kNanosPerSecond);
  request.from_ns = call.query.time("from").value_or(request.to_ns - kDefaultSpan);
  request.points = static_cast<size_t>(call.query.integer("points").value_or(0));
  request.resolution = parse_resolution(call.query.text("resolution"));  // none: auto
  size_t index = 0;
  BlockingExecutor& executor = history_executor(index);
  executor.submit(call.responder, [this, index, request] {
    return history_reply(index, [&](history::HistoryReader& reader) {
      std::string live_id;
      {
        // Taken before the rows are read: the rows may contain later events as well, but no earlier event is missing.
        const std::lock_guard lock(state_.mutex);
        live_id = broadcaster_.id(state_.committed_event);
      }
      auto found = reader.range_json(request, live_id);
      return found ? json_reply(std::move(*found)) : error_reply(found.error());
    });
  });
}

void Api::series(const Call& call) {
  const std::string name = call.query.text("agent");
  size_t index = 0;
  BlockingExecutor& executor = history_executor(index);
  executor.submit(call.responder, [this, index, name] {
    return history_reply(index, [&](history::HistoryReader& reader) {
      const auto series = reader.series(name);
      const auto extents = reader.extents(name);
      if (!series || !extents) return error_reply(series ? extents.error() : series.error());
      std::string out = fmt::format(R"({{"agent":{},"series":[)", json_quote(name));
      for (size_t i = 0; i < series->size(); ++i) {
        const metrics::Series& one = (*series)[i];
        out += fmt::format(R"({}{{"metric":{},"labels":{},"unit":{}}})", i > 0 ? "," : "", json_quote(one.name),
                           labels_json(one.labels), json_quote(one.unit));
      }
      out += "],\"extents\":[";
      for (size_t i = 0; i < extents->size(); ++i) {
        const history::Extent& one = (*extents)[i];
        out += fmt::format(R"({}{{"resolution":"{}","first":{},"last":{}}})", i > 0 ? "," : "",
                           to_string(one.resolution), time_json(one.first_ns), time_json(one.last_ns));
      }
      return json_reply(out + "]}");
    });
  });
}

}  // namespace monitor::analysis::web
