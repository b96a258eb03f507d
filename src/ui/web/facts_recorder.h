// FactsRecorder: writes down what this server knows about each agent (agent_facts.h), so that queries can ask for its
// past. On the loop's thread; writing has a thread of its own. The loop must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/worker.h"
#include "config/status.h"
#include "views/fleet/fleet.h"
#include "views/history/agent_facts.h"
#include "views/ledger/ledger.h"

namespace monitor::analysis::web {

// What is known now. `judge`: the state of an agent.
std::vector<history::AgentFacts> facts_of(const Fleet& fleet, const Ledger& ledger, int64_t now_ns,
                                          const std::function<Health(const LiveAgent& agent)>& judge);

// What an agent reports about its plugins.
std::vector<history::PluginFacts> plugin_facts_of(const std::string& agent, const std::string& host,
                                                  const std::vector<config::PluginStatus>& plugins);

class FactsRecorder {
 public:
  FactsRecorder(EventLoop& loop, const std::string& history_path)
      : path_(history::facts_path(history_path)), worker_(loop) {}
  FactsRecorder(const FactsRecorder&) = delete;
  FactsRecorder& operator=(const FactsRecorder&) = delete;

  // Creates the file, so that queries of agent_state() and its like are answered before the first facts are recorded.
  void start();
  // Whether the last facts are still being written; then none may be given.
  bool busy() const { return busy_; }
  void record(int64_t time_ns, std::vector<history::AgentFacts> facts, std::vector<history::PluginFacts> plugins);

 private:
  // On the worker's thread.
  Status open();
  void write(int64_t time_ns, const std::vector<history::AgentFacts>& facts,
             const std::vector<history::PluginFacts>& plugins);
  void note(const Status& written);

  const std::string path_;
  std::unique_ptr<history::AgentFactsWriter> writer_;  // used on the worker's thread only, as `failing_`
  bool failing_ = false;
  bool busy_ = false;
  ThreadWorker worker_;  // ends first
};

}  // namespace monitor::analysis::web
