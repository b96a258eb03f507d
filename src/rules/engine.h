// Engine: evaluates the groups of rules as the data arrives, keeps the state of their alerts, and tells a sink.
//
// A group is evaluated at multiples of its interval (with an offset of its own, so that groups do not meet), and each
// of these evaluations exactly once, in order: as soon as the watermark, the time up to which the data is there, has
// passed its time. The result of an evaluation therefore does not depend on when the data came. What an evaluation
// changes is one transaction of the store: a process that is killed continues with the state of the last whole
// evaluation.
//
// If the watermark jumps, after a gap or a restart, the evaluations in between are caught up with one by one, and only
// the last one is told to the sink. Those that are further back than `catch_up` are missed, and counted. A group whose
// evaluation takes longer than its interval misses those that would delay all other groups.
//
// advance() and replace() on one thread; groups() on any.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "query/evaluator.h"
#include "rules/alert.h"
#include "rules/evaluation.h"
#include "rules/group_state.h"
#include "rules/result_store.h"
#include "rules/rule_file.h"
#include "rules/rule_status.h"
#include "telemetry/registry.h"

namespace monitor::rules {

struct EngineOptions {
  int64_t interval_ms = 15'000;  // of groups that name none
  int64_t catch_up_ms = int64_t{60} * 60 * 1000;
  size_t catch_up_evaluations = 240;  // of one group
  // An evaluation whose time is longer ago than this is history: the sink is not told.
  int64_t stale_ms = int64_t{5} * 60 * 1000;
  int64_t rule_timeout_ns = 30 * kNanosPerSecond;
  query::Labels external_labels = {};
  std::string external_url = {};  // without a slash at the end
};

// How far the data is.
struct Progress {
  int64_t watermark_ms = 0;  // up to here, the data of all agents that are alive is there
  int64_t now_ms = 0;        // by the log's time
  // Whether the data of a time before the watermark may still come for a series; see EvaluationContext.
  std::function<bool(const query::Labels& labels, int64_t at_ms)> undelivered = {};
};

class Engine final : public RuleReporter {
 public:
  // The arguments must outlive it.
  Engine(const EngineOptions& options, query::SeriesSource& data, ResultStore& store, const Clock& clock,
         telemetry::Registry& registry);
  ~Engine() override;

  // Nobody is told before the first call; nullptr: nobody. Evaluations go on.
  void set_sink(AlertSink* sink) { sink_ = sink; }
  // EngineOptions::external_url, which may be known later than the engine is made.
  void set_external_url(const std::string& url) { options_.external_url = url; }

  // Takes other groups. A rule that was there before (same file, group, name and labels) keeps its alerts; those of
  // rules that are gone are told to the sink as resolved. Errors: those of the store; the old groups remain.
  Status replace(std::vector<Group> groups);

  // Tells the sink the alerts of all groups as they are, for a sink that has heard nothing so far. Groups whose last
  // evaluation is history are left out, and told with their next one.
  void tell_all(int64_t now_ms);

  // Makes all evaluations that are due. `stop` is asked between them. Errors: those of the store; what was due is tried
  // again by the next call.
  Status advance(const Progress& progress, const std::function<bool()>& stop = {});

  std::vector<GroupStatus> groups() const override;
  std::vector<GroupFigures> figures() const override;
  // Their names, as in Alert::group. On the thread of advance().
  std::set<std::string> group_keys() const;

 private:
  struct Running;
  struct Metrics;

  std::unique_ptr<Running> begin(Group group, const std::map<std::string, std::unique_ptr<Running>>& old,
                                 Status& status);
  Status retire(const Running& was, const Running* now);
  Status restore(Running& running);
  static int64_t next_after(const Running& running, int64_t time_ms);
  int64_t first_due(Running& running, const Progress& progress);
  int64_t skip_if_slow(Running& running, int64_t next_ms, int64_t ready_ms);
  Status evaluate(Running& running, int64_t at_ms, const Progress& progress);
  Status evaluate_rules(Running& running, GroupState& next, int64_t at_ms, const Progress& progress);
  bool is_fresh(const Running& running, int64_t at_ms, int64_t now_ms) const;
  void count_alerts();
  void tell(const Running& running, int64_t at_ms);

  EngineOptions options_;
  query::SeriesSource& data_;
  ResultStore& store_;
  const Clock& clock_;
  std::unique_ptr<Metrics> metrics_;
  AlertSink* sink_ = nullptr;
  mutable std::mutex mutex_;  // guards the groups and their states against groups()
  std::map<std::string, std::unique_ptr<Running>> groups_;
  // Shared with the registry, which may outlive the engine.
  struct Figures {
    std::atomic<int64_t> oldest_ms = 0;  // the last evaluation of the group that is furthest behind; 0: none
    std::atomic<int64_t> watermark_ms = 0;
  };
  const std::shared_ptr<Figures> figures_ = std::make_shared<Figures>();
};

// What identifies a rule in its group: its name, its labels, and which of equal ones it is.
std::vector<std::string> rule_identities(const Group& group);

}  // namespace monitor::rules
