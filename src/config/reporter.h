// Reporter: keeps an agent's status and inventory up to date on a publisher: the status at once when the
// engine's state changes, else, and for the plugins' numbers, every 10 s; with it the inventory, when a minute has
// passed or the plugin folder has changed. Everything on the loop's thread; timers and publisher must outlive it.
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
  // What there is to say of configuration and plugins; called for every report.
  using Fill = std::function<void(AgentStatus& status, AgentInventory& inventory)>;

  Reporter(Timers& timers, Self self, StatusPublisher& publisher, Fill fill);
  ~Reporter();
  Reporter(const Reporter&) = delete;
  Reporter& operator=(const Reporter&) = delete;

  // Something may have changed: it is told now, with what else has changed in this turn of the loop.
  void changed();
  // The last report. `stopped`: the agent ends in order, with nothing unsent.
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
  std::vector<std::string> told_plugins_;  // in the inventory
  int64_t inventory_due_ns_ = 0;           // by the monotonic clock
  Timers::TimerId now_timer_ = 0;
  Timers::TimerId status_timer_ = 0;
};

}  // namespace monitor::config
