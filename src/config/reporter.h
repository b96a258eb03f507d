// Reporter: publishes an agent's status and inventory. It publishes the status when the engine's state changes, and
// every 10 s for the counters of plugins. It publishes the inventory once a minute, and when the plugin folder changes.
//
// Thread contract: the loop's thread. Timers and publisher must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "config/status.h"

namespace monitor::config {

class Reporter {
 public:
  struct Self {
    std::string version;
    std::string host;
  };
  // Fills in configuration and plugins. Called for every report.
  using Fill = std::function<void(AgentStatus& status, AgentInventory& inventory)>;

  Reporter(Timers& timers, Self self, StatusPublisher& publisher, Fill fill);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Schedules a report for the end of this turn of the loop, so that several changes become one.
  void changed();
  // Publishes the last report. `stopped`: the agent ends in order, with nothing unsent.
  void stop(bool stopped, std::function<void()> done);

 private:
  void report();
  std::string inventory_json(AgentInventory& inventory, const AgentStatus& status) const;

  Timers& timers_;
  Self self_;
  StatusPublisher& publisher_;
  Fill fill_;
  int64_t since_ns_;
  bool stopped_ = false;
  std::vector<std::string> reported_plugins_;  // in the last inventory
  int64_t inventory_due_ns_ = 0;               // monotonic
  Timers::TimerId now_timer_ = 0;
  Timers::TimerId status_timer_ = 0;
};

}  // namespace monitor::config
