#include "ui/web/api.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "ui/web/assets.h"
#include "ui/web/prom_reply.h"
#include "ui/web/rule_metrics.h"
#include "ui/web/values_json.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kHistoryExecutors = 2;
constexpr size_t kMostQuestions = 64;
// Each takes 64 MiB for a fraction of a second, one after the other.
constexpr size_t kMostLogins = 16;
// Of one address, and of one user: failures at once, and how often one more is allowed.
constexpr int kLoginBurst = 10;
constexpr int64_t kOneLoginEvery = 6 * kNanosPerSecond;

}  // namespace

Api::Api(EventLoop& loop, ApiOptions options, State& state, EventBroadcaster& broadcaster,
         telemetry::Registry& registry, const config::PluginCatalog& plugins)
    : loop_(loop),
      clock_(loop.clock()),
      options_(std::move(options)),
      state_(state),
      broadcaster_(broadcaster),
      registry_(registry),
      agents_gauge_(registry.gauge("monitor_web_agents", "Agents shown on the page.")),
      audit_(clock_, options_.audit_log),
      gate_(options_.access, clock_, random_, audit_, registry),
      logins_by_address_(clock_, {kLoginBurst, kOneLoginEvery}),
      logins_by_user_(clock_, {kLoginBurst, kOneLoginEvery}),
      logins_(registry.counter("monitor_web_logins_total", "Successful logins.")),
      logins_failed_(registry.counter("monitor_web_logins_failed_total", "Logins with a wrong user or password.")),
      config_(options_.config, plugins, clock_, audit_),
      alerts_(options_.alerts_path, clock_, audit_),
      log_(options_.open_browser, options_.log,
           [this] {
             const std::lock_guard lock(state_.mutex);
             return state_.log.places;
           }),
      password_executor_(loop, "login", kMostLogins),
      config_executor_(loop, "configuration", kMostQuestions),
      log_executor_(loop, "log", kMostQuestions),
      alerts_executor_(loop, "alerts", kMostQuestions),
      scrape_executor_(loop, "latest values", kMostQuestions),
      prometheus_(loop, options_.prometheus, options_.history_path, options_.version, registry),
      rules_(loop, options_.prometheus, options_.history_path, config_, config_executor_, registry),
      facts_(loop, options_.history_path),
      servers_read_ns_(clock_.mono_ns() - options_.read_heartbeats_ns),
      viewed_ns_(clock_.mono_ns()),
      config_read_ns_(clock_.mono_ns() - options_.read_config_ns),
      lag_sampled_ns_(clock_.mono_ns() - LagHistory::kStep),
      recorded_ns_(clock_.mono_ns() - options_.record_facts_ns) {
  for (size_t i = 0; i < kHistoryExecutors; ++i) {
    history_executors_.push_back(std::make_unique<BlockingExecutor>(loop, "history", kMostQuestions));
    history_readers_.emplace_back();
  }
  declare_metrics();
  declare();
  tick();
}

void Api::declare_metrics() {
  registry_.gauge_from("monitor_web_live_series", "Series whose latest value is in memory.", [this] {
    const std::lock_guard lock(state_.mutex);
    return static_cast<double>(state_.fleet.series());
  });
  registry_.gauge_from("monitor_web_log_trouble", "1 while the log cannot be read.", [this] {
    const std::lock_guard lock(state_.mutex);
    return state_.log.trouble.empty() ? 0.0 : 1.0;
  });
  registry_.gauge_from("monitor_web_live_points_dropped",
                       "Points dropped because their series or agent exceeds the limits of the latest values.", [this] {
                         const std::lock_guard lock(state_.mutex);
                         return static_cast<double>(state_.fleet.dropped_points());
                       });
  registry_.gauge_from("monitor_web_audit_failures", "Events that could not be written to the audit log.",
                       [this] { return static_cast<double>(audit_.failures()); });
}

Api::~Api() { loop_.cancel_timer(timer_); }

void Api::declare() {
  declare_session(table_);
  declare_fleet(table_);
  declare_ledger(table_);
  declare_history(table_);
  declare_log(table_);
  declare_messages(table_);
  declare_alerts(table_);
  declare_silences(table_);
  declare_config(table_);
  declare_rollouts(table_);
  declare_queries(table_);
  declare_stream(table_);
  prometheus_.declare(table_);
  rules_.declare(table_);
  description_ = std::make_shared<const std::string>(openapi_document(table_));
}

// Whether the path fits that of the route, below the root of its dialect. `rest` becomes what {name} stands for.
bool Api::fits(const Route& route, std::string_view path, std::string& rest) {
  const size_t open = route.path.find('{');
  if (open == std::string::npos) return path == route.path;
  const std::string_view before = std::string_view(route.path).substr(0, open);
  const std::string_view after = std::string_view(route.path).substr(route.path.find('}') + 1);
  if (path.size() < before.size() + after.size() || !path.starts_with(before) || !path.ends_with(after)) return false;
  rest = path.substr(before.size(), path.size() - before.size() - after.size());
  return true;
}

const Route* Api::find(const Request& request, std::string& rest, std::string& allowed) const {
  const Route* found = nullptr;
  const auto look = [&](Dialect dialect, std::string_view root) {
    if (!request.path.starts_with(root)) return;
    const std::string_view path = std::string_view(request.path).substr(root.size());
    for (const Route& route : table_.routes) {
      if (route.dialect != dialect || !fits(route, path, rest)) continue;
      const bool head = request.method == "HEAD" && route.method == "GET";
      if (request.method == route.method || head) {
        found = &route;
        return;
      }
      allowed += (allowed.empty() ? "" : ", ") + route.method;
    }
  };
  look(Dialect::kPrometheus, kPrometheusRoot);
  if (found == nullptr && allowed.empty()) look(Dialect::kOwn, kApiRoot);
  // The old paths of our own routes.
  if (found == nullptr && allowed.empty()) look(Dialect::kOwn, kPrometheusRoot);
  return found;
}

Reply Api::no_route(const Request& request, const std::string& allowed) {
  const std::string why = allowed.empty() ? fmt::format("no such route; {}/openapi.json lists all of them", kApiRoot)
                                          : fmt::format("got {}, expected {}", request.method, allowed);
  // Clients of Prometheus look for the type.
  Reply reply = allowed.empty() && request.path.starts_with(kPrometheusRoot)
                    ? prom_error("not_found", why)
                    : error_reply(allowed.empty() ? 404 : 405, why);
  reply.allow = allowed;
  return reply;
}

void Api::handle(const Request& request, const Responder& responder) {
  if (Status known = check_host(request, options_.access.hosts); !known) {
    responder.reply(error_reply(known.error()));
    return;
  }
  if (!request.path.starts_with("/api/")) {
    own_page(request, responder);
    return;
  }
  std::string rest;
  std::string allowed;
  const Route* const route = find(request, rest, allowed);
  if (route == nullptr) {
    responder.reply(no_route(request, allowed));
    return;
  }
  const bool reads = route->dialect == Dialect::kPrometheus;
  auto admitted = gate_.admit(request, route->role, reads);
  if (auto* const refusal = std::get_if<Reply>(&admitted)) {
    responder.reply(std::move(*refusal));
    return;
  }
  if (!route->for_programs && route->role != access::Role::kNone) viewed_ns_ = clock_.mono_ns();
  answer(*route, rest, request, responder, std::get<Identity>(admitted));
}

Status Api::start() {
  if (Status written = audit_.check(); !written) return written.error().with_context("the audit log");
  facts_.start();
  return gate_.start();
}

void Api::answer(const Route& route, const std::string& rest, const Request& request, const Responder& responder,
                 const Identity& who) {
  Parameters given = request.parameters;
  for (const Parameter& one : route.parameters) {
    if (one.in_path) given.emplace_back(one.name, rest);
  }
  const auto query = route.dialect == Dialect::kPrometheus ? Result<Query>(Query())
                                                           : Query::parse(given, route.parameters, clock_.wall_ns());
  if (!query) {
    responder.reply(error_reply(query.error()));
    return;
  }
  route.handler({request, *query, responder, who, rest});
}

void Api::own_page(const Request& request, const Responder& responder) {
  if (request.method != "GET" && request.method != "HEAD") {
    Reply reply = error_reply(405, "expected GET or HEAD");
    reply.allow = "GET, HEAD";
    responder.reply(std::move(reply));
    return;
  }
  if (request.path == "/metrics") {
    auto admitted = gate_.admit(request, access::Role::kViewer);
    if (auto* const refusal = std::get_if<Reply>(&admitted)) {
      responder.reply(std::move(*refusal));
      return;
    }
    agents_gauge_.set([this] {
      const std::lock_guard lock(state_.mutex);
      return static_cast<double>(state_.fleet.agents().size());
    }());
    const rules::RuleReporter* const reporter = options_.prometheus.rules;
    const std::string group_metrics = reporter != nullptr ? rule_group_metrics(reporter->figures()) : std::string();
    responder.reply({.content_type = "text/plain; version=0.0.4; charset=utf-8",
                     .body = std::make_shared<const std::string>(registry_.text() + group_metrics)});
  } else if (request.path == "/-/healthy") {
    responder.reply(text_reply(200, "Prometheus Server is Healthy."));  // what its clients ask
  } else if (request.path == "/healthz") {
    responder.reply(text_reply(200, "ok"));
  } else if (request.path == "/readyz" || request.path == "/-/ready") {
    const std::lock_guard lock(state_.mutex);
    const bool ready = state_.log.trouble.empty();
    // The reason names the log, which is nothing for strangers.
    const bool reads = !ready && std::holds_alternative<Identity>(gate_.admit(request, access::Role::kViewer));
    const std::string why = reads ? ": " + state_.log.trouble : "";
    responder.reply(ready ? text_reply(200, "ready") : text_reply(503, "not ready" + why));
  } else if (request.path == "/graph") {
    responder.reply(graph_reply(request));
  } else if (const auto asset = find_asset(request.path, header_values(request, "Accept-Encoding"))) {
    responder.reply({.content_type = std::string(asset->content_type),
                     .body = std::make_shared<const std::string>(asset->bytes),
                     .keep = asset->keep,
                     .encoding = std::string(asset->encoding),
                     .varies = true});
  } else {
    responder.reply(text_reply(404, "no such file; the page is at /"));
  }
}

// Once a second: publishes what changed in the fleet as one event.
void Api::tick() {
  timer_ = loop_.call_after(options_.tick_ns, [this] { tick(); });
  gate_.tick();
  const int64_t now = clock_.wall_ns();
  std::string rows;
  std::string forgotten;
  {
    const std::lock_guard lock(state_.mutex);
    for (const auto& [name, agent] : state_.fleet.agents()) {
      Published current{verdict_of(agent, now).health, problems_of(name), unusual_of(name)};
      const auto before = published_agents_.find(name);
      if (agent.change <= published_ && before != published_agents_.end() && before->second == current) continue;
      published_agents_.insert_or_assign(name, std::move(current));
      rows += (rows.empty() ? "" : ",") + row(agent, now, published_);
    }
    published_ = state_.fleet.change();
    if (published_agents_.size() > state_.fleet.agents().size()) {
      std::erase_if(published_agents_, [&](const auto& one) {
        if (state_.fleet.find(one.first) != nullptr) return false;
        forgotten += (forgotten.empty() ? "" : ",") + json_quote(one.first);
        return true;
      });
    }
  }
  if (!rows.empty() || !forgotten.empty()) {
    broadcaster_.publish(
        "fleet", "fleet",
        fmt::format(R"({{"now":{},"agents":[{}],"forgotten":[{}]}})", seconds_json(now), rows, forgotten));
  }
  const int64_t mono = clock_.mono_ns();
  const bool watched = broadcaster_.streams() > 0 || mono - viewed_ns_ < options_.viewer_timeout_ns;
  // The states of agents depend on both, and are recorded although nobody watches.
  const int64_t config_every = watched ? options_.read_config_ns : options_.record_facts_ns;
  const int64_t heartbeats_every = watched ? options_.read_heartbeats_ns : options_.record_facts_ns;
  if (mono - config_read_ns_ >= config_every && !config_busy_) read_config();
  if (mono - servers_read_ns_ >= heartbeats_every && !servers_busy_) read_heartbeats();
  if (mono - recorded_ns_ >= options_.record_facts_ns && !facts_.busy()) record_facts();
  if (mono - lag_sampled_ns_ >= LagHistory::kStep && !lag_busy_) sample_lag();
  if (!audit_busy_) audit_silences();
}

void Api::audit_silences() {
  audit_busy_ = true;
  alerts_executor_.run([this] { alerts_.audit_changes(); }, [this] { audit_busy_ = false; });
}

void Api::sample_lag() {
  lag_busy_ = true;
  lag_sampled_ns_ = clock_.mono_ns();
  const int64_t now = clock_.wall_ns();
  log_executor_.run([this, now] { log_.sample_lag(now); }, [this] { lag_busy_ = false; });
}

void Api::record_facts() {
  const int64_t now = clock_.wall_ns();
  std::vector<history::AgentFacts> facts;
  {
    const std::lock_guard lock(state_.mutex);
    // Unread records may contain data of agents: they would look silent.
    if (!state_.log.caught_up || !state_.log.trouble.empty()) return;
    facts = facts_of(state_.fleet, state_.ledger, now,
                     [&](const LiveAgent& agent) { return verdict_of(agent, now).health; });
  }
  for (history::AgentFacts& one : facts) {
    const unusual::Share share = unusual_of(one.agent);
    one.scored = share.series;
    one.unusual = share.unusual;
    const AgentReport* const report = config_view_.find(one.agent);
    if (report != nullptr) one.cpu_ms = static_cast<uint64_t>(std::max(0.0, report->cpu_seconds) * 1000);
    if (report != nullptr && report->certificate_expires_ns > 0) {
      one.certificate_s = static_cast<uint64_t>(report->certificate_expires_ns / kNanosPerSecond);
      const int64_t life_ns = elapsed_ns(report->certificate_from_ns, report->certificate_expires_ns);
      one.certificate_life_s = static_cast<uint64_t>(std::max<int64_t>(life_ns, 0) / kNanosPerSecond);
    }
  }
  std::vector<history::PluginFacts> plugins;
  for (const auto& [agent, report] : config_view_.agents) {
    for (history::PluginFacts& one : plugin_facts_of(agent, report.host, report.plugins)) {
      plugins.push_back(std::move(one));
    }
  }
  recorded_ns_ = clock_.mono_ns();
  facts_.record(now, std::move(facts), std::move(plugins));
}

void Api::read_heartbeats() {
  servers_busy_ = true;
  servers_read_ns_ = clock_.mono_ns();
  auto beats = std::make_shared<Result<std::vector<metriclog::Heartbeat>>>(std::vector<metriclog::Heartbeat>());
  log_executor_.run([this, beats] { *beats = log_.heartbeats(); },
                    [this, beats] {
                      servers_busy_ = false;
                      if (*beats) {
                        servers_.take(**beats, clock_.mono_ns());
                      } else {
                        servers_.forget();
                      }
                    });
}

void Api::read_config() {
  config_busy_ = true;
  config_read_ns_ = clock_.mono_ns();
  auto seen = std::make_shared<ConfigView>();
  config_executor_.run([this, seen] { *seen = web::read_config(config_, clock_.wall_ns()); },
                       [this, seen] {
                         config_busy_ = false;
                         take_config(std::move(*seen));
                       });
}

void Api::take_config(ConfigView seen) {
  const bool changed = seen.changed || seen.trouble != config_view_.trouble;
  // While the configuration cannot be read, forgotten agents must stay forgotten.
  if (!seen.trouble.empty()) seen.forgotten = std::move(config_view_.forgotten);
  config_view_ = std::move(seen);
  {
    const std::lock_guard lock(state_.mutex);
    state_.forgotten = config_view_.forgotten;
    show_in_fleet(config_view_, clock_.wall_ns(), state_.fleet);
  }
  if (!changed) return;
  broadcaster_.publish("config", "config", fmt::format(R"({{"trouble":{}}})", json_quote(config_view_.trouble)));
}

}  // namespace monitor::analysis::web
