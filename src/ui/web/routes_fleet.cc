// Api: the agents and their latest values, and the state of the server itself.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/hex.h"
#include "base/text.h"
#include "ui/web/api.h"
#include "ui/web/prometheus.h"
#include "ui/web/values_json.h"
#include "views/unusual/minutes.h"

namespace monitor::analysis::web {

namespace {

constexpr int64_t kScrapedFor = int64_t{5} * 60 * kNanosPerSecond;
constexpr int64_t kScrapeHolds = 500 * kNanosPerMilli;
constexpr size_t kAgentsAtOnce = 16;

std::string figures_json(const Figures& figures) {
  std::string out = "[";
  for (size_t i = 0; i < figures.size(); ++i) {
    out += (i > 0 ? "," : "") + (figures[i] ? json_number(*figures[i]) : std::string("null"));
  }
  return out + "]";
}

std::string unusual_json(const unusual::Share& share) {
  if (share.series == 0) return "null";
  return fmt::format(R"({{"series":{},"unusual":{},"share":{}}})", share.series, share.unusual,
                     json_number(static_cast<double>(share.unusual) / static_cast<double>(share.series)));
}

// The last `count` steps.
std::string past_json(const Past& past, size_t count) {
  std::string out =
      fmt::format(R"({{"end":{},"step":{},"figures":[)", time_json(past.end_ns()), Past::kStep / kNanosPerSecond);
  for (size_t i = 0; i < kFigures; ++i) {
    const auto& steps = past.steps(i);
    out += i > 0 ? ",[" : "[";
    for (size_t at = steps.size() - count; at < steps.size(); ++at) {
      out += at > steps.size() - count ? "," : "";
      out += std::isfinite(steps[at]) ? fmt::format("{:.4g}", steps[at]) : "null";
    }
    out += "]";
  }
  return out + "]}";
}

std::vector<schema::Field> agent_fields() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return {
      {"agent", text("the agent's id")},
      {"host", text()},
      {"version", text("of the agent's program")},
      {"health", one_of({"alive", "late", "spooling", "silent", "stopped", "unknown", "gone"},
                        "spooling: alive, but its newest batches wait in its spool. silent: alive, but configured to "
                        "collect nothing. stopped: it ended cleanly. unknown: no server writes to the log, so nothing "
                        "can arrive. gone: nothing "
                        "arrived for 30 s.")},
      {"why", text("the reason for a health other than alive, for people")},
      {"problems", list(text(),
                        "what it reports as wrong with itself while it is alive: a rejected configuration, "
                        "quarantined plugins, hung mounts")},
      {"seen", time("when the log stored its newest record").or_null()},
      {"tick", time("its newest tick").or_null()},
      {"interval", number("seconds between its ticks").or_null()},
      {"revision", integer("of the applied configuration")},
      {"waiting", integer("batches that were not acknowledged when the newest one was sent")},
      {"clock_error", number("seconds that its clock is ahead, 0 if within tolerance; its times are corrected by it")},
      {"other_host", text("a second host that sends under the same id; empty: none")},
      {"labels", map(text(), "from its configuration; they appear on each of its series")},
      {"unusual", object({{"series", integer("that have a score: those with a day of data")},
                          {"unusual", integer("of these, those that are unusual now")},
                          {"share", number("unusual / series, 0 to 1")}},
                         "how many of its series are outside of their extremes of the last day, 3 days and week. "
                         "null: none has a score")
                      .or_null()},
      {"figures",
       list(number().or_null(), "CPU and memory (0 to 1), disk read, disk write, network in, network out (By/s)")},
      {"past",
       object({{"end", time("the start of the last step").or_null()},
               {"step", number("seconds")},
               {"figures", list(list(number().or_null()), "as in `figures`: averages, null where no value exists")}},
              "the last five minutes. In an event: the steps at the end that changed since the event before.")},
  };
}

Schema agent_detail() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  std::vector<Field> fields = agent_fields();
  fields.emplace_back("incarnation", text("its current run"));
  fields.emplace_back("sequence", integer("of its newest batch"));
  fields.emplace_back("values", list(object({{"metric", text()},
                                             {"labels", map(text())},
                                             {"unit", text("UCUM code")},
                                             {"kind", one_of({"gauge", "counter"})},
                                             {"time", time().or_null()},
                                             {"value", number().or_null()}}),
                                     "the latest value of each series"));
  fields.emplace_back("unusual_series", list(object({{"metric", text()},
                                                     {"labels", map(text())},
                                                     {"score", number("0.08 to 1")},
                                                     {"time", time("the end of the minute that it is of")}}),
                                             "its series that are unusual now, the highest score first; at most 100"));
  return object(fields);
}

Schema status_result() {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  return object({
      {"version", text("of this program")},
      {"now", time("by the server's clock")},
      {"trouble", list(text(), "all current problems, for people; empty: none")},
      {"servers", object({{"state", one_of({"unknown", "writing", "stopped", "away"},
                                           "unknown: the log has no heartbeats, or was watched for less than 15 s. "
                                           "stopped: every server announced its end. away: no heartbeat for 15 s.")},
                          {"last", time("the newest heartbeat, by the log's clock").or_null()},
                          {"trouble", text("why no agent's data arrives; empty: it does")}},
                         "whether a server writes to the log, judged by the heartbeats that servers leave in it")},
      {"log", object({{"name", text("the log's address")},
                      {"trouble", text("why the log cannot be read; empty: it can")},
                      {"since", time("start of the trouble").or_null()},
                      {"newest", time("when the log stored the newest record that was read").or_null()},
                      {"caught_up", boolean("everything stored before the start has been read")},
                      {"skipped", integer("records that could not be decoded")},
                      {"lost", integer("records deleted from the log before they were read")}})},
      {"history", object({{"trouble", text("why the history cannot be written; empty: it can")},
                          {"since", time("start of the trouble").or_null()}})},
      {"config", object({{"source", text("address or folder of the configuration")},
                         {"files", boolean("a folder, not etcd")},
                         {"trouble", text("why the configuration cannot be read; empty: it can")},
                         {"editable", boolean("whether the server accepts changes (with the token)")}})},
      {"agents", integer("how many are known")},
  });
}

}  // namespace

void Api::declare_fleet(RouteTable& table) {
  using namespace schema;  // NOLINT(google-build-using-namespace)
  table.schemas.emplace_back("Agent", object(agent_fields()));
  table.schemas.emplace_back("FleetEvent", object({{"now", time()},
                                                   {"agents", list(ref("Agent"), "the agents that changed")},
                                                   {"forgotten", list(text(), "agents that are no longer known")}}));
  table.routes.push_back({.method = "GET",
                          .path = "/status",
                          .role = access::Role::kViewer,
                          .id = "getStatus",
                          .summary = "The state of the server: its log, history and configuration",
                          .result = status_result(),
                          .handler = [this](const Call& call) { call.reply(status()); }});
  table.routes.push_back({.method = "GET",
                          .path = "/fleet",
                          .role = access::Role::kViewer,
                          .id = "getFleet",
                          .summary = "All agents, with the last five minutes of their main figures",
                          .result = object({{"now", time()},
                                            {"live_id", text("a stream that follows this event misses nothing")},
                                            {"agents", list(ref("Agent"))}}),
                          .handler = [this](const Call& call) { call.reply(fleet()); }});
  table.routes.push_back({.method = "GET",
                          .path = "/agents/{agent}",
                          .role = access::Role::kViewer,
                          .id = "getAgent",
                          .summary = "One agent, with its latest values",
                          .parameters = {{.name = "agent", .description = "The agent's id.", .in_path = true}},
                          .result = agent_detail(),
                          .errors = {{404, "No agent with this id is known."}},
                          .handler = [this](const Call& call) { call.reply(agent(call.query.text("agent"))); }});
  table.routes.push_back(
      {.method = "GET",
       .path = "/prometheus",
       .role = access::Role::kViewer,
       .id = "scrape",
       .summary =
           "The latest values in Prometheus' text format, named by OpenTelemetry's mapping, with the labels agent "
           "and host; and the time each agent was last seen",
       .result = text(),
       .content_type = "text/plain",
       .for_programs = true,
       .handler = [this](const Call& call) {
         scrape_executor_.submit(call.responder, [this] { return prometheus(); });
       }});
}

Verdict Api::verdict_of(const LiveAgent& agent, int64_t now_ns) const {
  const AgentReport* const report = config_view_.find(agent.name);
  const Presence presence = report == nullptr ? Presence::kUnknown : report->presence;
  return judge(agent, now_ns, presence, servers_.judge(clock_.mono_ns()));
}

unusual::Share Api::unusual_of(const std::string& agent) const {
  return options_.scores == nullptr ? unusual::Share() : options_.scores->share_of(agent);
}

std::string Api::unusual_series_json(const std::string& agent) const {
  constexpr size_t kMost = 100;
  const auto scores = options_.scores == nullptr ? nullptr : options_.scores->find(agent);
  if (!scores) return "";
  std::vector<const unusual::SeriesScores*> found;
  for (const unusual::SeriesScores& one : scores->series) {
    if (one.unusual_now) found.push_back(&one);
  }
  std::ranges::sort(found, std::ranges::greater(), [](const auto* one) { return one->recent.back().value; });
  if (found.size() > kMost) found.resize(kMost);
  std::string out;
  for (const unusual::SeriesScores* const one : found) {
    const unusual::Score& score = one->recent.back();
    out += fmt::format(R"({}{{"metric":{},"labels":{},"score":{},"time":{}}})", out.empty() ? "" : ",",
                       json_quote(one->series.name), labels_json(one->series.labels), json_number(score.value),
                       time_json((score.minute + 1) * unusual::kMinuteNs));
  }
  return out;
}

const std::vector<std::string>& Api::problems_of(const std::string& agent) const {
  static const std::vector<std::string> kNone;
  const AgentReport* const report = config_view_.find(agent);
  return report == nullptr ? kNone : report->problems;
}

// All current problems, for clients other than the page. Requires state_.mutex.
std::vector<std::string> Api::troubles(const Servers& servers, int64_t now_ns) const {
  std::vector<std::string> found;
  const auto add = [&](const std::string& what, const std::string& why) {
    if (!why.empty()) found.push_back(what + why);
  };
  add("the log cannot be read: ", state_.log.trouble);
  add("the history cannot be written: ", state_.history.trouble);
  add("the configuration cannot be read: ", config_view_.trouble);
  if (options_.prometheus.rules != nullptr) {
    for (const std::string& one : options_.prometheus.rules->troubles()) found.push_back(one);
  }
  // Unread records may contain data of agents.
  const bool read = state_.log.trouble.empty() && state_.log.caught_up;
  if (read) add("", silence_of(servers, state_.log.newest_ns, now_ns));
  for (std::string& one : agent_troubles(config_view_, state_.fleet)) found.push_back(std::move(one));
  return found;
}

// Requires state_.mutex.
std::string Api::row(const LiveAgent& agent, int64_t now_ns, uint64_t after) {
  const Verdict verdict = verdict_of(agent, now_ns);
  std::string problems;
  for (const std::string& one : problems_of(agent.name)) problems += (problems.empty() ? "" : ",") + json_quote(one);
  return fmt::format(
      R"({{"agent":{},"host":{},"version":{},"health":"{}","why":{},"problems":[{}],"seen":{},"tick":{},"interval":{},"revision":{},)"
      R"("waiting":{},"clock_error":{},"other_host":{},"labels":{},"unusual":{},"figures":{},"past":{}}})",
      json_quote(agent.name), json_quote(agent.host), json_quote(agent.version), to_string(verdict.health),
      json_quote(verdict.why), problems, time_json(agent.seen_ns), time_json(agent.tick_ns),
      time_json(agent.interval_ns), agent.revision, agent.waiting,
      json_number(static_cast<double>(agent.clock_error_ns) / 1e9), json_quote(agent.other_host),
      labels_json(agent.labels), unusual_json(unusual_of(agent.name)), figures_json(agent.figures()),
      past_json(agent.past, agent.past.changed_after(after)));
}

Reply Api::fleet() {
  const int64_t now = clock_.wall_ns();
  std::string live_id = broadcaster_.id(broadcaster_.last());
  const std::lock_guard lock(state_.mutex);
  std::string out = fmt::format(R"({{"now":{},"live_id":{},"agents":[)", time_json(now), json_quote(live_id));
  bool first = true;
  for (const auto& [name, agent] : state_.fleet.agents()) {
    out += (first ? "" : ",") + row(agent, now, 0);
    first = false;
  }
  return json_reply(out + "]}");
}

Reply Api::agent(const std::string& name) {
  const int64_t now = clock_.wall_ns();
  const std::lock_guard lock(state_.mutex);
  const LiveAgent* const found = state_.fleet.find(name);
  if (found == nullptr) return error_reply(404, "no agent with this id is known");
  std::string out = row(*found, now, 0);
  out.pop_back();
  out += fmt::format(R"(,"incarnation":{},"sequence":{},"values":[)", json_quote(hex(found->incarnation)),
                     found->sequence);
  bool first = true;
  for (const LiveValue& value : found->values) {
    out += fmt::format(R"({}{{"metric":{},"labels":{})", first ? "" : ",", json_quote(value.series.name),
                       labels_json(value.series.labels));
    out += fmt::format(R"(,"unit":{},"kind":"{}","time":{},"value":{}}})", json_quote(value.series.unit),
                       value.series.kind == metrics::Kind::kCounter ? "counter" : "gauge", time_json(value.time_ns),
                       json_number(value.value));
    first = false;
  }
  return json_reply(out + R"(],"unusual_series":[)" + unusual_series_json(name) + "]}");
}

// A large fleet takes seconds. The lock is therefore released after every few agents, and concurrent scrapes share a
// result.
Reply Api::prometheus() {
  auto body = scrape_.lock();
  if (!body || clock_.mono_ns() - scraped_ns_ >= kScrapeHolds) {
    PrometheusText text;
    const int64_t heard_after = clock_.wall_ns() - kScrapedFor;
    std::string last;
    for (bool more = true; more;) {
      const std::lock_guard lock(state_.mutex);
      const auto& agents = state_.fleet.agents();
      auto next = agents.upper_bound(last);
      for (size_t i = 0; i < kAgentsAtOnce && next != agents.end(); ++i, ++next) {
        text.add(next->second, heard_after);
        last = next->first;
      }
      more = next != agents.end();
    }
    scrape_ = body = std::make_shared<const std::string>(std::move(text).text());
    scraped_ns_ = clock_.mono_ns();
  }
  return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = std::move(body)};
}

Reply Api::status() {
  const std::lock_guard lock(state_.mutex);
  const LogState& log = state_.log;
  const int64_t now = clock_.wall_ns();
  const Servers servers = servers_.judge(clock_.mono_ns());
  std::string troubles_json;
  for (const std::string& one : troubles(servers, now)) {
    troubles_json += (troubles_json.empty() ? "" : ",") + json_quote(one);
  }
  const std::string silence = log.trouble.empty() && log.caught_up ? silence_of(servers, log.newest_ns, now) : "";
  return json_reply(fmt::format(
      R"({{"version":{},"now":{},"trouble":[{}],"servers":{{"state":"{}","last":{},"trouble":{}}},"log":{{"name":{},"trouble":{},"since":{},"newest":{},"caught_up":{},"skipped":{},"lost":{}}},)"
      R"("history":{{"trouble":{},"since":{}}},"config":{{"source":{},"files":{},"trouble":{},"editable":{}}},"agents":{}}})",
      json_quote(options_.version), time_json(now), troubles_json, to_string(servers.state), time_json(servers.last_ns),
      json_quote(silence), json_quote(options_.log), json_quote(log.trouble), time_json(log.trouble_since_ns),
      time_json(log.newest_ns), log.caught_up, log.skipped, log.lost, json_quote(state_.history.trouble),
      time_json(state_.history.trouble_since_ns), json_quote(options_.config.describe), options_.config.files,
      json_quote(config_view_.trouble), !options_.access.token.empty(), state_.fleet.agents().size()));
}

}  // namespace monitor::analysis::web
