// PromApi: the HTTP API of Prometheus over the history, as its clients call it (Grafana, Perses, promtool). The routes
// are declared in routes_prometheus.cc.
//
// On the loop's thread; queries run on the threads of a pool. The objects given to the constructor must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "query/evaluator.h"
#include "rules/rule_status.h"
#include "telemetry/registry.h"
#include "ui/web/prom_parameters.h"
#include "ui/web/query_pool.h"
#include "ui/web/route.h"
#include "views/unusual/score_board.h"

namespace monitor::analysis::web {

// The limits of one query; see QueryLimits, too.
struct PromOptions {
  int64_t timeout_ns = 30 * kNanosPerSecond;  // also with a longer `timeout` in the request
  size_t at_once = 4;                         // queries that run; further ones wait
  size_t max_samples = 10'000'000;            // of one query
  size_t max_bytes = size_t{256} << 20;       // of memory, of one query
  size_t max_reply_bytes = size_t{64} << 20;
  size_t max_listed = 100'000;                  // series, labels or values in an answer
  const rules::RuleReporter* rules = nullptr;   // nullptr: there are no rules
  const unusual::ScoreBoard* scores = nullptr;  // the newest ones of unusual(); nullptr: it computes all
};

class PromApi {
 public:
  PromApi(EventLoop& loop, const PromOptions& options, const std::string& history_path, std::string version,
          telemetry::Registry& registry);
  PromApi(const PromApi&) = delete;
  PromApi& operator=(const PromApi&) = delete;

  void declare(RouteTable& table);

 private:
  struct Question;  // a query with its parameters
  using Answer = void (PromApi::*)(const Call& call, const PromParameters& parameters);

  // Declares GET, and POST if the API has it.
  void add(RouteTable& table, Route route, Answer answer, bool post = true);
  void declare_queries(RouteTable& table);
  void declare_series(RouteTable& table);
  void declare_rules(RouteTable& table);
  void handle(const Call& call, Answer answer);

  void query(const Call& call, const PromParameters& parameters);
  void query_range(const Call& call, const PromParameters& parameters);
  void labels(const Call& call, const PromParameters& parameters);
  void label_values(const Call& call, const PromParameters& parameters);
  void series(const Call& call, const PromParameters& parameters);
  void metadata(const Call& call, const PromParameters& parameters);
  void rules(const Call& call, const PromParameters& parameters);
  void alerts(const Call& call, const PromParameters& parameters);
  void exemplars(const Call& call, const PromParameters& parameters);
  void format_query(const Call& call, const PromParameters& parameters);
  void flags(const Call& call, const PromParameters& parameters);
  void build_info(const Call& call, const PromParameters& parameters);

  void submit(const Call& call, const PromParameters& parameters, const query::QueryTimes& times, bool range);
  Reply evaluate(const Question& question, const QueryPool::Run& run) const;
  // Answers with the data that `answer` makes of the parsed query.
  void with_expression(const Call& call, const PromParameters& parameters,
                       std::function<std::string(const query::Expression&)> answer);
  // Answers with a sorted list of texts that are taken from each series' labels.
  using Take = std::function<void(const query::Labels& labels, std::set<std::string>& found)>;
  void list_texts(const Call& call, const PromParameters& parameters, bool both_spellings, Take take);
  std::vector<rules::GroupStatus> groups() const;

  EventLoop& loop_;
  const PromOptions options_;
  const std::string version_;
  QueryPool pool_;
};

}  // namespace monitor::analysis::web
