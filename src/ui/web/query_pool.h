// QueryPool: answers questions to the history on a few threads of its own, so that they delay nothing else.
//
// At most `at_once` questions run, and at most `waiting` wait; further ones get 503. One address never has all threads
// while another one waits, nor more than half of the places to wait. A question ends when its time is over, counted
// from its arrival, and when its client has closed the connection.
//
// On the loop's thread; work runs on the pool's. The loop and the registry must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/worker.h"
#include "rules/sqlite_store.h"
#include "telemetry/registry.h"
#include "ui/web/server.h"
#include "views/history/agent_facts.h"
#include "views/history/query.h"

namespace monitor::analysis::web {

struct QueryPoolOptions {
  std::string history_path;
  // What it answers: in its metrics (monitor_web_<name>_...) and in refusals.
  std::string name = "queries";
  std::string one = "the query";
  std::string advice = "select fewer series, a shorter time or a longer step";  // to those whose time is over
  size_t at_once = 4;
  size_t waiting = 60;
  int64_t look_ns = 100 * kNanosPerMilli;  // between looks at clients and times
};

class QueryPool {
 public:
  // What a running question has.
  struct Run {
    history::HistoryReader& reader;
    history::AgentFactsReader* facts;  // nullptr: there is no such file
    rules::ResultReader& results;      // what rules have computed
    // An error ends the question: kDeadlineExceeded, its time is over; kCancelled, its client has gone away.
    std::function<Status()> check;
    int64_t waited_ns = 0;
  };
  using Work = std::function<Reply(const Run& run)>;
  // How an error becomes a reply.
  using Refusal = std::function<Reply(const Error& error)>;

  QueryPool(EventLoop& loop, QueryPoolOptions options, Refusal refusal, telemetry::Registry& registry);
  ~QueryPool();
  QueryPool(const QueryPool&) = delete;
  QueryPool& operator=(const QueryPool&) = delete;

  // `client`: whose question it is, as a unit of limits.
  void submit(const WebServer::Responder& responder, std::string client, int64_t timeout_ns, Work work);

 private:
  struct Job;
  struct Slot;
  std::string metric(const char* what) const;
  size_t running_of(const std::string& client) const;
  void start_some();
  void start(Slot& slot, std::shared_ptr<Job> job);
  // On the slot's thread.
  Reply run(Slot& slot, const Job& job) const;
  void look();
  void drop_waiting();

  EventLoop& loop_;
  const QueryPoolOptions options_;
  const Refusal refusal_;
  telemetry::Counter& refused_;
  telemetry::Counter& ended_;
  std::vector<std::unique_ptr<Slot>> slots_;
  std::deque<std::shared_ptr<Job>> waiting_;
  EventLoop::TimerId timer_ = 0;
  bool looking_ = false;
};

}  // namespace monitor::analysis::web
