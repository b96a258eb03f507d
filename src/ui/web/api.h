// Api: the HTTP API of the page, /api/ui/v1/..., which other programs can use as well; and that
// of Prometheus, /api/v1/... (prom_api.h). Routes are declared in routes_*.cc,
// next to their handlers. A reply that needs only memory is given at once; one that may block is computed on an
// executor's thread.
//
// All calls on the loop's thread. The objects given to the constructor must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/attempt_limit.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "telemetry/registry.h"
#include "ui/access/audit_log.h"
#include "ui/web/alerts_service.h"
#include "ui/web/blocking_executor.h"
#include "ui/web/config_service.h"
#include "ui/web/config_view.h"
#include "ui/web/event_broadcaster.h"
#include "ui/web/facts_recorder.h"
#include "ui/web/gate.h"
#include "ui/web/http.h"
#include "ui/web/log_service.h"
#include "ui/web/prom_api.h"
#include "ui/web/route.h"
#include "ui/web/rules_api.h"
#include "ui/web/server.h"
#include "ui/web/state.h"
#include "views/fleet/server_watch.h"
#include "views/history/query.h"
#include "views/ledger/report.h"
#include "views/unusual/score_board.h"

namespace monitor::analysis::web {

struct ApiOptions {
  Access access;
  std::string audit_log;  // its file; empty: the newest events in memory only
  std::string history_path;
  std::string alerts_path;  // of the file of alerts and silences; it need not exist
  std::string log;          // its address, for people
  std::string version;      // of this program
  OpenBrowser open_browser;
  ConfigOptions config;
  PromOptions prometheus = {};
  const unusual::ScoreBoard* scores = nullptr;   // nullptr: nothing is known of how unusual series are
  int64_t tick_ns = 1 * kNanosPerSecond;         // between events of the fleet
  int64_t read_config_ns = 2 * kNanosPerSecond;  // between reads, while there are viewers
  int64_t read_heartbeats_ns = 2 * kNanosPerSecond;
  int64_t record_facts_ns = 10 * kNanosPerSecond;    // the states of agents; without viewers, the two above are as long
  int64_t viewer_timeout_ns = 60 * kNanosPerSecond;  // there are no viewers if no stream or request came for this long
};

class Api {
 public:
  Api(EventLoop& loop, ApiOptions options, State& state, EventBroadcaster& broadcaster, telemetry::Registry& registry,
      const config::PluginCatalog& plugins);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  // Why the page cannot be served, for example because the users file is missing. Call it once, before handle().
  Status start();
  void handle(const Request& request, const WebServer::Responder& responder);
  const RouteTable& table() const { return table_; }

 private:
  using Responder = WebServer::Responder;
  // The state of an agent in the last event, as far as the fleet does not track its changes.
  struct Published {
    Health health = Health::kGone;
    std::vector<std::string> problems;
    unusual::Share unusual;
    bool operator==(const Published&) const = default;
  };

  void declare();
  void declare_metrics();
  static bool fits(const Route& route, std::string_view path, std::string& rest);
  static Reply no_route(const Request& request, const std::string& allowed);
  const Route* find(const Request& request, std::string& rest, std::string& allowed) const;
  void answer(const Route& route, const std::string& rest, const Request& request, const Responder& responder,
              const Identity& who);
  void own_page(const Request& request, const Responder& responder);

  // routes_session.cc
  void declare_session(RouteTable& table);
  void log_in(const Call& call);
  void log_out(const Call& call);
  Reply session(const Identity& who) const;
  struct Login;  // an attempt
  Reply finish_login(const Login& login);
  void give_back_attempt(const Login& login);
  int wait_for_login(const Request& request, const std::string& user);

  // routes_stream.cc
  void declare_stream(RouteTable& table);
  void stream(const Call& call);
  // routes_fleet.cc
  void declare_fleet(RouteTable& table);
  Reply fleet();
  Reply agent(const std::string& name);
  Reply prometheus();  // on scrape_executor_
  Reply status();
  // routes_ledger.cc
  void declare_ledger(RouteTable& table);
  ReportOptions ledger_options(const Query& query) const;
  Reply ledger(const Query& query);
  Reply ledger_run(const Query& query);
  // routes_history.cc
  void declare_history(RouteTable& table);
  void range(const Call& call);
  void series(const Call& call);
  Reply history_reply(size_t executor, const std::function<Reply(history::HistoryReader&)>& ask);
  BlockingExecutor& history_executor(size_t& index);
  // routes_log.cc
  void declare_log(RouteTable& table);
  // routes_messages.cc
  void declare_messages(RouteTable& table);
  void declare_message(RouteTable& table);
  void messages(const Call& call);
  // routes_alerts.cc
  void declare_alerts(RouteTable& table);
  void declare_silences(RouteTable& table);
  // routes_query.cc
  void declare_queries(RouteTable& table);
  // routes_config.cc
  void declare_config(RouteTable& table);
  void declare_documents(RouteTable& table);
  void declare_plugin_report(RouteTable& table);
  void declare_document_changes(RouteTable& table);
  void change_document(const Call& call);
  // routes_rollouts.cc
  void declare_rollouts(RouteTable& table);

  void tick();
  void record_facts();
  void read_config();
  void take_config(ConfigView seen);
  void read_heartbeats();
  void sample_lag();
  void audit_silences();
  std::vector<std::string> troubles(const Servers& servers, int64_t now_ns) const;
  // `after`: a change number of the fleet; the row then contains only the steps of its past that changed later.
  std::string row(const LiveAgent& agent, int64_t now_ns, uint64_t after);
  unusual::Share unusual_of(const std::string& agent) const;
  std::string unusual_series_json(const std::string& agent) const;
  Verdict verdict_of(const LiveAgent& agent, int64_t now_ns) const;
  const std::vector<std::string>& problems_of(const std::string& agent) const;

  EventLoop& loop_;
  const Clock& clock_;
  const ApiOptions options_;
  State& state_;
  EventBroadcaster& broadcaster_;
  telemetry::Registry& registry_;
  telemetry::Gauge& agents_gauge_;
  RouteTable table_;
  std::shared_ptr<const std::string> description_;  // the OpenAPI document
  SystemRandom random_;
  access::AuditLog audit_;
  Gate gate_;
  AttemptLimit logins_by_address_;
  AttemptLimit logins_by_user_;
  telemetry::Counter& logins_;
  telemetry::Counter& logins_failed_;

  ConfigService config_;  // used on config_executor_ only
  AlertsService alerts_;  // used on alerts_executor_ only
  LogService log_;        // used on log_executor_ only
  BlockingExecutor password_executor_;
  BlockingExecutor config_executor_;
  BlockingExecutor log_executor_;
  BlockingExecutor alerts_executor_;
  BlockingExecutor scrape_executor_;
  std::weak_ptr<const std::string> scrape_;  // the last result; used on scrape_executor_ only
  int64_t scraped_ns_ = 0;
  std::vector<std::unique_ptr<BlockingExecutor>> history_executors_;
  std::vector<std::unique_ptr<history::HistoryReader>>
      history_readers_;  // one for each executor, used on its thread only
  size_t next_executor_ = 0;

  PromApi prometheus_;
  RulesApi rules_;
  FactsRecorder facts_;

  ConfigView config_view_;  // read while there are viewers
  bool config_busy_ = false;
  ServerWatch servers_;  // read while there are viewers
  bool servers_busy_ = false;
  bool audit_busy_ = false;
  int64_t servers_read_ns_ = 0;
  int64_t viewed_ns_ = 0;  // time of the last request of a viewer
  int64_t config_read_ns_ = 0;
  bool lag_busy_ = false;
  int64_t lag_sampled_ns_ = 0;
  int64_t recorded_ns_ = 0;
  EventLoop::TimerId timer_ = 0;
  uint64_t published_ = 0;  // the fleet's change up to which events were published
  std::map<std::string, Published, std::less<>> published_agents_;
};

}  // namespace monitor::analysis::web
