// Api: the HTTP API of the page, /api/v1/..., open to other programs as well. Routes are declared in routes_*.cc, each
// next to the code that answers it. A reply that needs only memory is given at once; one that may block is computed on
// an executor's thread.
//
// All calls on the loop's thread. The objects given to the constructor must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "telemetry/registry.h"
#include "ui/web/change_guard.h"
#include "ui/web/config_desk.h"
#include "ui/web/desk.h"
#include "ui/web/http.h"
#include "ui/web/hub.h"
#include "ui/web/log_desk.h"
#include "ui/web/route.h"
#include "ui/web/server.h"
#include "ui/web/state.h"
#include "views/fleet/server_watch.h"
#include "views/history/query.h"

namespace monitor::analysis::web {

struct ApiOptions {
  Access access;
  std::string history_path;
  std::string log;      // for people: where it is
  std::string version;  // of this program
  OpenBrowser open_browser;
  ConfigOptions config;
  int64_t tick_ns = 1 * kNanosPerSecond;            // events of the fleet
  int64_t look_at_config_ns = 2 * kNanosPerSecond;  // so often, while anybody looks
  int64_t look_at_servers_ns = 2 * kNanosPerSecond;
  int64_t abandoned_ns = 60 * kNanosPerSecond;  // nobody follows, or asked for so long: nobody looks
};

class Api {
 public:
  Api(EventLoop& loop, ApiOptions options, State& state, Hub& hub, telemetry::Registry& registry,
      const config::PluginCatalog& plugins);
  ~Api();
  Api(const Api&) = delete;
  Api& operator=(const Api&) = delete;

  void handle(const Request& request, const WebServer::Responder& responder);
  const RouteTable& table() const { return table_; }

 private:
  using Responder = WebServer::Responder;

  void declare();
  const Route* find(const Request& request, std::string& rest, std::string& allowed) const;
  void answer(const Route& route, const std::string& rest, const Request& request, const Responder& responder);
  void own_page(const Request& request, const Responder& responder);

  // routes_stream.cc
  void declare_stream(RouteTable& table);
  void stream(const Call& call);
  // routes_fleet.cc
  void declare_fleet(RouteTable& table);
  Reply fleet();
  Reply agent(const std::string& name);
  Reply prometheus();  // on its desk's thread
  Reply status();
  // routes_ledger.cc
  void declare_ledger(RouteTable& table);
  Reply ledger(const Query& query);
  // routes_history.cc
  void declare_history(RouteTable& table);
  void range(const Call& call);
  void series(const Call& call);
  Reply history_reply(size_t desk, const std::function<Reply(history::HistoryReader&)>& ask);
  Desk& history_desk(size_t& index);
  // routes_log.cc
  void declare_log(RouteTable& table);
  void messages(const Call& call);
  // routes_config.cc
  void declare_config(RouteTable& table);
  void declare_documents(RouteTable& table);
  void change_document(const Call& call);

  void tick();
  void look_at_config();
  void look_at_servers();
  std::vector<std::string> troubles(const Servers& servers, int64_t now_ns) const;
  // Of its past, the steps that changed after that change of the fleet.
  std::string row(const LiveAgent& agent, int64_t now_ns, uint64_t after);
  Verdict verdict_of(const LiveAgent& agent, int64_t now_ns) const;

  EventLoop& loop_;
  const Clock& clock_;
  const ApiOptions options_;
  State& state_;
  Hub& hub_;
  telemetry::Registry& registry_;
  telemetry::Gauge& agents_gauge_;
  RouteTable table_;
  std::shared_ptr<const std::string> description_;  // the OpenAPI document
  ChangeGuard guard_;

  ConfigDesk config_;  // touched on its desk's thread alone
  LogDesk log_;
  Desk config_desk_;
  Desk log_desk_;
  Desk scrape_desk_;
  std::weak_ptr<const std::string> scrape_;  // the last one, touched on its desk's thread alone
  int64_t scraped_ns_ = 0;
  std::vector<std::unique_ptr<Desk>> history_desks_;
  std::vector<std::unique_ptr<history::HistoryReader>> history_readers_;  // one a desk, touched on its thread alone
  size_t next_desk_ = 0;

  // What the configuration says of who lives, looked up while anybody looks.
  std::map<std::string, Presence, std::less<>> presence_;
  std::string config_trouble_;
  uint32_t config_mark_ = 0;
  bool config_busy_ = false;
  ServerWatch servers_;  // looked at while anybody looks
  bool servers_busy_ = false;
  int64_t servers_looked_ns_ = 0;
  int64_t asked_ns_ = 0;  // the last request of somebody who looks
  int64_t config_looked_ns_ = 0;
  EventLoop::TimerId timer_ = 0;
  uint64_t told_ = 0;  // the fleet's change up to which events were made
  std::map<std::string, Health, std::less<>> told_health_;
};

}  // namespace monitor::analysis::web
