// RulesApi: what the page needs to write rules: their files, a check of a text, and a replay over the history. The
// routes are declared in routes_rules.cc.
//
// On the loop's thread. Checks and replays run on a few threads of their own, so that they delay no query; each has
// bounded time and memory, and ends when its client goes away. Files are read on the thread of the configuration. The
// objects given to the constructor must outlive it.
#pragma once

#include <string>

#include "base/event_loop.h"
#include "telemetry/registry.h"
#include "ui/web/blocking_executor.h"
#include "ui/web/config_service.h"
#include "ui/web/prom_api.h"
#include "ui/web/query_pool.h"
#include "ui/web/route.h"
#include "ui/web/rule_documents.h"

namespace monitor::analysis::web {

class RulesApi {
 public:
  // `options`: a replay has the time and the memory of a query.
  RulesApi(EventLoop& loop, const PromOptions& options, const std::string& history_path, ConfigService& config,
           BlockingExecutor& config_executor, telemetry::Registry& registry);
  RulesApi(const RulesApi&) = delete;
  RulesApi& operator=(const RulesApi&) = delete;

  void declare(RouteTable& table);

 private:
  struct ReplayRequest;

  void declare_files(RouteTable& table);
  void declare_replay(RouteTable& table);
  void check(const Call& call);
  void replay(const Call& call);
  // On a thread of the pool.
  Reply check_text(const std::string& text, bool with_series, const QueryPool::Run& run) const;
  Reply replay_text(const ReplayRequest& request, const QueryPool::Run& run) const;
  rules::RuleFileList files() const;

  EventLoop& loop_;
  const PromOptions options_;
  BlockingExecutor& config_executor_;
  RuleDocuments documents_;  // used on config_executor_ only
  QueryPool pool_;
};

}  // namespace monitor::analysis::web
