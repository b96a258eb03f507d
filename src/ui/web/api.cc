#include "ui/web/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/crc32c.h"
#include "base/text.h"
#include "ui/web/assets.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kHistoryDesks = 2;
constexpr size_t kMostQuestions = 64;
constexpr size_t kMostTopics = 64;
constexpr std::string_view kRoot = "/api/v1";

}  // namespace

Api::Api(EventLoop& loop, ApiOptions options, State& state, Hub& hub, telemetry::Registry& registry,
         const config::PluginCatalog& plugins)
    : loop_(loop),
      clock_(loop.clock()),
      options_(std::move(options)),
      state_(state),
      hub_(hub),
      registry_(registry),
      agents_gauge_(registry.gauge("monitor_web_agents", "Agents that the page shows.")),
      guard_(clock_, registry),
      config_(options_.config, plugins, clock_),
      log_(options_.open_browser, options_.log),
      config_desk_(loop, "configuration", kMostQuestions),
      log_desk_(loop, "log", kMostQuestions),
      scrape_desk_(loop, "latest values", kMostQuestions),
      servers_looked_ns_(clock_.mono_ns() - options_.look_at_servers_ns),
      asked_ns_(clock_.mono_ns()),
      config_looked_ns_(clock_.mono_ns() - options_.look_at_config_ns) {
  for (size_t i = 0; i < kHistoryDesks; ++i) {
    history_desks_.push_back(std::make_unique<Desk>(loop, "history", kMostQuestions));
    history_readers_.emplace_back();
  }
  registry.gauge_from("monitor_web_live_series", "Series of which the latest value is kept.", [this] {
    const std::lock_guard lock(state_.mutex);
    return static_cast<double>(state_.fleet.series());
  });
  registry.gauge_from("monitor_web_log_trouble", "1 while the log cannot be read.", [this] {
    const std::lock_guard lock(state_.mutex);
    return state_.log.trouble.empty() ? 0.0 : 1.0;
  });
  registry.gauge_from("monitor_web_live_points_dropped",
                      "Points whose series or agent is beyond what is kept as latest.", [this] {
                        const std::lock_guard lock(state_.mutex);
                        return static_cast<double>(state_.fleet.dropped_points());
                      });
  declare();
  tick();
}

Api::~Api() { loop_.cancel_timer(timer_); }

void Api::add(const std::string& method, const std::string& path, const std::vector<std::string>& parameters,
              std::function<void(const Call& call)> answer) {
  entries_.push_back({{method, std::string(kRoot) + path, parameters}, std::move(answer)});
}

void Api::declare() {
  add("GET", "/status", {}, [this](const Call& call) { call.responder.reply(status()); });
  add("GET", "/fleet", {}, [this](const Call& call) { call.responder.reply(fleet()); });
  add("GET", "/agents/{agent}", {}, [this](const Call& call) { call.responder.reply(agent(call.rest)); });
  add("GET", "/range", {"agent*", "metric", "from", "to", "resolution", "points"},
      [this](const Call& call) { range(call); });
  add("GET", "/series", {"agent"}, [this](const Call& call) { series(call); });
  add("GET", "/stream", {"topic*", "after"}, [this](const Call& call) { stream(call); });
  add("GET", "/ledger", {"agent", "missing_after"},
      [this](const Call& call) { call.responder.reply(ledger(call.query)); });
  add("GET", "/prometheus", {},
      [this](const Call& call) { scrape_desk_.submit(call.responder, [this] { return prometheus(); }); });
  entries_.back().for_programs = true;
  add("GET", "/log", {},
      [this](const Call& call) { log_desk_.submit(call.responder, [this] { return log_.overview(); }); });
  add("GET", "/messages", {"partition", "offset", "agent", "metric", "since", "until", "cursor", "limit"},
      [this](const Call& call) { messages(call); });
  add("GET", "/config", {},
      [this](const Call& call) { config_desk_.submit(call.responder, [this] { return config_.overview(); }); });
  add("GET", "/config/document", {"key"}, [this](const Call& call) {
    config_desk_.submit(call.responder,
                        [this, key = call.query.text("key").value_or("")] { return config_.document(key); });
  });
  add("PUT", "/config/document", {"key"}, [this](const Call& call) {
    const Request& request = call.request;
    config_desk_.submit(call.responder, [this, key = call.query.text("key").value_or(""), body = request.body,
                                         by = ChangedBy{request.address, request.forwarded_for, request.origin}] {
      return config_.change(key, body, by);
    });
    config_looked_ns_ = 0;
  });
  entries_.back().changes = true;
  add("POST", "/config/validate", {"key"}, [this](const Call& call) {
    config_desk_.submit(call.responder, [this, key = call.query.text("key").value_or(""), body = call.request.body] {
      return config_.validate(key, body);
    });
  });
  add("GET", "/config/explain", {"agent"}, [this](const Call& call) {
    config_desk_.submit(call.responder,
                        [this, name = call.query.text("agent").value_or("")] { return config_.explain(name); });
  });
  add("GET", "/config/schema", {},
      [this](const Call& call) { config_desk_.submit(call.responder, [this] { return config_.schema(); }); });
  add("GET", "/plugins", {},
      [this](const Call& call) { config_desk_.submit(call.responder, [this] { return config_.plugins(); }); });
  add("GET", "/openapi.json", {}, [](const Call& call) { call.responder.reply(json_reply(std::string(openapi()))); });
}

std::vector<Route> Api::routes() const {
  std::vector<Route> found;
  found.reserve(entries_.size());
  for (const Entry& entry : entries_) found.push_back(entry.route);
  return found;
}

const Api::Entry* Api::find(const Request& request, std::string& rest, std::string& allowed) const {
  for (const Entry& entry : entries_) {
    const std::string& path = entry.route.path;
    const size_t brace = path.find('{');
    if (brace == std::string::npos ? request.path != path : !request.path.starts_with(path.substr(0, brace))) continue;
    if (brace != std::string::npos) rest = request.path.substr(brace);
    const bool head = request.method == "HEAD" && entry.route.method == "GET";
    if (request.method == entry.route.method || head) return &entry;
    allowed += (allowed.empty() ? "" : ", ") + entry.route.method;
  }
  return nullptr;
}

void Api::handle(const Request& request, const Responder& responder) {
  if (Status known = check_host(request, options_.access); !known) {
    responder.reply(error_reply(known.error()));
    return;
  }
  if (!request.path.starts_with("/api/")) {
    own_page(request, responder);
    return;
  }
  std::string rest;
  std::string allowed;
  const Entry* const entry = find(request, rest, allowed);
  if (entry == nullptr) {
    Reply reply = allowed.empty() ? error_reply(404, "there is nothing here; /api/v1/openapi.json says what there is")
                                  : error_reply(405, "only " + allowed + " is answered here");
    reply.allow = allowed;
    responder.reply(std::move(reply));
    return;
  }
  if (!entry->for_programs) asked_ns_ = clock_.mono_ns();
  if (entry->changes) {
    if (auto refusal = guard_.refusal(request, options_.access)) {
      responder.reply(std::move(*refusal));
      return;
    }
  }
  const auto query = Query::parse(request.parameters, entry->route.parameters);
  if (!query) {
    responder.reply(error_reply(query.error()));
    return;
  }
  entry->answer({request, *query, rest, responder});
}

void Api::own_page(const Request& request, const Responder& responder) {
  if (request.method != "GET" && request.method != "HEAD") {
    Reply reply = error_reply(405, "only GET and HEAD are answered here");
    reply.allow = "GET, HEAD";
    responder.reply(std::move(reply));
    return;
  }
  if (request.path == "/metrics") {
    agents_gauge_.set([this] {
      const std::lock_guard lock(state_.mutex);
      return static_cast<double>(state_.fleet.agents().size());
    }());
    responder.reply({.content_type = "text/plain; version=0.0.4; charset=utf-8",
                     .body = std::make_shared<const std::string>(registry_.text())});
  } else if (request.path == "/healthz") {
    responder.reply(text_reply(200, "ok"));
  } else if (request.path == "/readyz") {
    const std::lock_guard lock(state_.mutex);
    const bool ready = state_.log.trouble.empty();
    responder.reply(ready ? text_reply(200, "ready") : text_reply(503, "not ready: " + state_.log.trouble));
  } else if (const auto asset = find_asset(request.path)) {
    responder.reply(
        {.content_type = std::string(asset->content_type), .body = std::make_shared<const std::string>(asset->bytes)});
  } else {
    responder.reply(text_reply(404, "not found; the page is at /"));
  }
}

void Api::stream(const Call& call) {
  StreamStart start;
  start.topics = call.query.all("topic");
  if (start.topics.empty() || start.topics.size() > kMostTopics) {
    call.responder.reply(error_reply(
        400, fmt::format("query: topic: expected 1 to {}: fleet, log, config, messages or agent:NAME", kMostTopics)));
    return;
  }
  const std::string after =
      call.request.last_event_id.empty() ? call.query.text("after").value_or("") : call.request.last_event_id;
  start.place = hub_.last();
  if (!after.empty()) {
    const auto number = hub_.number_of(after);
    start.reset = !number;
    if (number) start.place = *number;
  }
  call.responder.stream(std::move(start));
}

// Once a second: what changed in the fleet, as one event for all.
void Api::tick() {
  timer_ = loop_.call_after(options_.tick_ns, [this] { tick(); });
  guard_.tick();
  const int64_t now = clock_.wall_ns();
  std::string rows;
  std::string forgotten;
  {
    const std::lock_guard lock(state_.mutex);
    for (const auto& [name, agent] : state_.fleet.agents()) {
      const Health health = verdict_of(agent, now).health;
      const auto told = told_health_.find(name);
      if (agent.change <= told_ && told != told_health_.end() && told->second == health) continue;
      told_health_.insert_or_assign(name, health);
      rows += (rows.empty() ? "" : ",") + row(agent, now, told_);
    }
    told_ = state_.fleet.change();
    if (told_health_.size() > state_.fleet.agents().size()) {
      std::erase_if(told_health_, [&](const auto& one) {
        if (state_.fleet.find(one.first) != nullptr) return false;
        forgotten += (forgotten.empty() ? "" : ",") + json_quote(one.first);
        return true;
      });
    }
  }
  if (!rows.empty() || !forgotten.empty()) {
    hub_.publish("fleet", "fleet",
                 fmt::format(R"({{"now":{},"agents":[{}],"forgotten":[{}]}})", seconds_json(now), rows, forgotten));
  }
  const int64_t mono = clock_.mono_ns();
  const bool watched = hub_.followers() > 0 || mono - asked_ns_ < options_.abandoned_ns;
  if (watched && mono - config_looked_ns_ >= options_.look_at_config_ns && !config_busy_) look_at_config();
  if (watched && mono - servers_looked_ns_ >= options_.look_at_servers_ns && !servers_busy_) look_at_servers();
}

void Api::look_at_servers() {
  servers_busy_ = true;
  servers_looked_ns_ = clock_.mono_ns();
  auto beats = std::make_shared<Result<std::vector<metriclog::Heartbeat>>>(std::vector<metriclog::Heartbeat>());
  log_desk_.run([this, beats] { *beats = log_.heartbeats(); },
                [this, beats] {
                  servers_busy_ = false;
                  if (*beats) {
                    servers_.take(**beats, clock_.mono_ns());
                  } else {
                    servers_.forget();
                  }
                });
}

void Api::look_at_config() {
  config_busy_ = true;
  config_looked_ns_ = clock_.mono_ns();
  struct Seen {
    std::map<std::string, Presence, std::less<>> presence;
    std::string trouble;
    uint32_t mark = 0;
  };
  auto seen = std::make_shared<Seen>();
  config_desk_.run(
      [this, seen] {
        const auto keys = config_.keys();
        if (!keys) {
          seen->trouble = keys.error().message();
          return;
        }
        std::string documents;
        for (const auto& [key, stored] : *keys) {
          const config::KeyKind kind = config::kind_of_key(key);
          if (kind == config::KeyKind::kStatus || kind == config::KeyKind::kInventory) continue;
          documents += key + tag_of(stored);
        }
        for (const auto& row : config::fleet_of(*keys, clock_.wall_ns(), config_.fresh_ns())) {
          seen->presence[row.agent_id] = config::lives(row.state) ? Presence::kAlive : Presence::kGone;
          documents += fmt::format("{}{}{}", row.agent_id, static_cast<int>(row.state), row.applied);
        }
        seen->mark = crc32c(documents);
      },
      [this, seen] {
        config_busy_ = false;
        const bool changed = seen->mark != config_mark_ || seen->trouble != config_trouble_;
        presence_ = std::move(seen->presence);
        config_trouble_ = seen->trouble;
        config_mark_ = seen->mark;
        if (changed) hub_.publish("config", "config", fmt::format(R"({{"trouble":{}}})", json_quote(config_trouble_)));
      });
}

void Api::messages(const Call& call) {
  MessageSearch search;
  const int64_t now = clock_.wall_ns();
  const auto partition = call.query.integer("partition", -1, 0, 100'000);
  const auto offset = call.query.integer("offset", -1, 0, INT64_MAX - 1000);
  const auto limit = call.query.integer("limit", 50, 1, 200);
  const auto since = call.query.time("since", 0, now);
  const auto until = call.query.time("until", INT64_MAX, now);
  const auto cursor = parse_cursor(call.query.text("cursor").value_or(""));
  for (const auto* const number : {&partition, &offset, &limit, &since, &until}) {
    if (*number) continue;
    call.responder.reply(error_reply(number->error()));
    return;
  }
  if (!cursor) {
    call.responder.reply(error_reply(cursor.error()));
    return;
  }
  if (*offset >= 0 && *partition < 0) {
    call.responder.reply(error_reply(400, "query: offset: names no record without a partition"));
    return;
  }
  search.partition = static_cast<int32_t>(*partition);
  search.offset = *offset;
  search.limit = static_cast<size_t>(*limit);
  search.since_ns = *since;
  search.until_ns = *until;
  search.cursor = *cursor;
  search.agent = call.query.text("agent").value_or("");
  search.metric = call.query.text("metric").value_or("");
  log_desk_.submit(call.responder, [this, search] { return log_.messages(search); });
}

}  // namespace monitor::analysis::web
