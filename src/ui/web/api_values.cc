// Api: the fleet, its values and their history.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "base/time_format.h"
#include "ui/web/api.h"
#include "ui/web/prometheus.h"
#include "views/ledger/report.h"

namespace monitor::analysis::web {

namespace {

constexpr int64_t kScrapedFor = int64_t{5} * 60 * kNanosPerSecond;
constexpr int64_t kScrapeHolds = 500 * kNanosPerMilli;
constexpr size_t kAgentsAtOnce = 16;
constexpr size_t kMostAgents = 200;

// Seconds, to the microsecond; null when there is no such time.
std::string seconds(int64_t ns) { return ns == 0 ? "null" : seconds_json(ns); }

std::string figures_json(const Figures& figures) {
  std::string out = "[";
  for (size_t i = 0; i < figures.size(); ++i) {
    out += (i > 0 ? "," : "") + (figures[i] ? json_number(*figures[i]) : std::string("null"));
  }
  return out + "]";
}

// The last `count` steps.
std::string past_json(const Past& past, size_t count) {
  std::string out =
      fmt::format(R"({{"end":{},"step":{},"figures":[)", seconds(past.end_ns()), Past::kStep / kNanosPerSecond);
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

std::string labels_json(const metrics::Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    out += fmt::format("{}{}:{}", out.size() > 1 ? "," : "", json_quote(name), json_quote(value));
  }
  return out + "}";
}

}  // namespace

Verdict Api::verdict_of(const LiveAgent& agent, int64_t now_ns) const {
  const auto found = presence_.find(agent.name);
  const Presence presence = found == presence_.end() ? Presence::kUnknown : found->second;
  return judge(agent, now_ns, presence, servers_.judge(clock_.mono_ns()));
}

// With state_.mutex held: all that people should know now, for who asks without the page.
std::vector<std::string> Api::troubles(const Servers& servers, int64_t now_ns) const {
  std::vector<std::string> found;
  const auto add = [&](const std::string& what, const std::string& why) {
    if (!why.empty()) found.push_back(what + why);
  };
  add("the log cannot be read: ", state_.log.trouble);
  add("the history cannot be written: ", state_.history.trouble);
  add("the configuration cannot be read: ", config_trouble_);
  // What was not read yet, or cannot be read, may hold what agents said.
  const bool read = state_.log.trouble.empty() && state_.log.caught_up;
  if (read) add("", silence_of(servers, state_.log.newest_ns, now_ns));
  return found;
}

// With state_.mutex held.
std::string Api::row(const LiveAgent& agent, int64_t now_ns, uint64_t after) {
  const Verdict verdict = verdict_of(agent, now_ns);
  return fmt::format(
      R"({{"agent":{},"host":{},"version":{},"health":"{}","why":{},"seen":{},"tick":{},"interval":{},"revision":{},)"
      R"("waiting":{},"clock_error":{},"other_host":{},"labels":{},"figures":{},"past":{}}})",
      json_quote(agent.name), json_quote(agent.host), json_quote(agent.version), to_string(verdict.health),
      json_quote(verdict.why), seconds(agent.seen_ns), seconds(agent.tick_ns), seconds(agent.interval_ns),
      agent.revision, agent.waiting, json_number(static_cast<double>(agent.clock_error_ns) / 1e9),
      json_quote(agent.other_host), labels_json(agent.labels), figures_json(agent.figures()),
      past_json(agent.past, agent.past.changed_after(after)));
}

Reply Api::fleet() {
  const int64_t now = clock_.wall_ns();
  std::string live_id = hub_.id(hub_.last());
  const std::lock_guard lock(state_.mutex);
  std::string out = fmt::format(R"({{"now":{},"live_id":{},"agents":[)", seconds(now), json_quote(live_id));
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
  if (found == nullptr) return error_reply(404, "no agent of this name was ever heard of");
  std::string out = row(*found, now, 0);
  out.pop_back();
  out += fmt::format(R"(,"incarnation":{},"sequence":{},"values":[)", json_quote(hex(found->incarnation)),
                     found->sequence);
  bool first = true;
  for (const LiveValue& value : found->values) {
    out += fmt::format(R"({}{{"metric":{},"labels":{})", first ? "" : ",", json_quote(value.series.name),
                       labels_json(value.series.labels));
    out += fmt::format(R"(,"unit":{},"kind":"{}","time":{},"value":{}}})", json_quote(value.series.unit),
                       value.series.kind == metrics::Kind::kCounter ? "counter" : "gauge", seconds(value.time_ns),
                       json_number(value.value));
    first = false;
  }
  return json_reply(out + "]}");
}

// A large fleet takes seconds: a few agents at a time, so that nobody waits for it; and who comes with others has
// theirs.
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

Reply Api::ledger(const Query& query) {
  ReportOptions options{
      .agent = query.text("agent").value_or(""), .now_ns = clock_.wall_ns(), .missing_after_ns = 60 * kNanosPerSecond};
  if (const auto after = query.text("missing_after")) {
    const auto parsed = parse_duration(*after);
    if (!parsed) return error_reply(400, "query: missing_after: " + parsed.error().message());
    options.missing_after_ns = *parsed;
  }
  const std::lock_guard lock(state_.mutex);
  std::string out = R"({"incarnations":[)";
  bool first = true;
  for (const LedgerRow& one : report(state_.ledger, options)) {
    out += (first ? "" : ",") + to_json(one);
    first = false;
  }
  return json_reply(out + fmt::format(R"(],"skipped":{},"lost":{}}})", state_.log.skipped, state_.log.lost));
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
      json_quote(options_.version), seconds(now), troubles_json, to_string(servers.state), seconds(servers.last_ns),
      json_quote(silence), json_quote(options_.log), json_quote(log.trouble), seconds(log.trouble_since_ns),
      seconds(log.newest_ns), log.caught_up, log.skipped, log.lost, json_quote(state_.history.trouble),
      seconds(state_.history.trouble_since_ns), json_quote(options_.config.describe), options_.config.files,
      json_quote(config_trouble_), !options_.access.token.empty(), state_.fleet.agents().size()));
}

Desk& Api::history_desk(size_t& index) {
  index = next_desk_++ % history_desks_.size();
  return *history_desks_[index];
}

// On the desk's thread.
Reply Api::history_reply(size_t desk, const std::function<Reply(history::HistoryReader&)>& ask) {
  auto& reader = history_readers_[desk];
  if (!reader) {
    auto opened = history::HistoryReader::open(options_.history_path);
    if (!opened) return error_reply(opened.error());
    reader = std::move(*opened);
  }
  Reply reply = ask(*reader);
  if (reply.status >= 500) reader.reset();  // the file may be another one by now
  return reply;
}

void Api::range(const Call& call) {
  const int64_t now = clock_.wall_ns();
  history::RangeRequest request;
  request.agents = call.query.all("agent");
  request.metric = call.query.text("metric").value_or("");
  const auto to = call.query.time("to", now + kNanosPerSecond, now);
  const auto from = call.query.time("from", (to ? *to : now) - int64_t{15} * 60 * kNanosPerSecond, now);
  const auto points = call.query.integer("points", 600, 1, 100'000);
  if (!to || !from || !points) {
    call.responder.reply(error_reply(!to ? to.error() : !from ? from.error() : points.error()));
    return;
  }
  if (request.agents.empty() || request.agents.size() > kMostAgents) {
    call.responder.reply(error_reply(400, fmt::format("query: agent: expected 1 to {}", kMostAgents)));
    return;
  }
  request.from_ns = *from;
  request.to_ns = *to;
  request.points = static_cast<size_t>(*points);
  if (const auto resolution = call.query.text("resolution"); resolution && *resolution != "auto") {
    request.resolution = parse_resolution(*resolution);
    if (!request.resolution) {
      call.responder.reply(error_reply(400, "query: resolution: expected auto, full, 1s, 10s, 1m or 1h"));
      return;
    }
  }
  size_t index = 0;
  Desk& desk = history_desk(index);
  desk.submit(call.responder, [this, index, request] {
    return history_reply(index, [&](history::HistoryReader& reader) {
      std::string live_id;
      {
        // Before the rows are read: events that follow it may be in them, none before it is missing.
        const std::lock_guard lock(state_.mutex);
        live_id = hub_.id(state_.committed_event);
      }
      const auto found = reader.range(request);
      return found ? json_reply(history::to_json(*found, request, live_id)) : error_reply(found.error());
    });
  });
}

void Api::series(const Call& call) {
  const std::string name = call.query.text("agent").value_or("");
  size_t index = 0;
  Desk& desk = history_desk(index);
  desk.submit(call.responder, [this, index, name] {
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
                           to_string(one.resolution), seconds(one.first_ns), seconds(one.last_ns));
      }
      return json_reply(out + "]}");
    });
  });
}

}  // namespace monitor::analysis::web
