// ConfigFleet: many agents on one loop that only follow their configuration. Like a real agent, each has an etcd
// client, a source, an engine and a published status; applied settings are only recorded. In each round, an author
// changes the defaults, and the fleet measures the time from the write until each agent has applied the change.
//
// Thread contract: the loop's thread. All constructor arguments must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/random.h"
#include "config/etcd/connector.h"
#include "config/etcd/etcd_client.h"
#include "config/validate.h"
#include "grpc/resolver.h"
#include "load/delays.h"

namespace monitor::load {

struct ConfigFleetOptions {
  config::EtcdAddress etcd;
  config::EtcdCredentials credentials;
  std::string prefix = "load";  // agents are PREFIX-1, PREFIX-2, ...
  size_t agents = 10000;
  int64_t ramp_ns = 10 * kNanosPerSecond;  // agents start evenly over this time
  size_t rounds = 3;
  int64_t limit_ns = 60 * kNanosPerSecond;  // for each step
  bool restart = false;                     // at the end, waits for etcd to stop and to return
  std::string group = {};                   // of all agents; empty: none
  bool stay = false;                        // at the end, goes on until stop()
};

// One change of the defaults.
struct ConfigRound {
  size_t applied = 0;  // how many agents
  Delays delays;       // from the write until it is applied
  int64_t all_ns = 0;  // until all agents have also reported it in their status; 0: not within the limit
};

// How agents returned after an outage of etcd.
struct ConfigReturn {
  size_t returned = 0;
  Delays delays;                  // from the return of the first agent
  std::vector<size_t> by_second;  // number of agents that returned in the n-th second after the first
};

struct ConfigFleetResult {
  int64_t connected_ns = 0;  // from the start until all agents watched; 0: not within the limit
  std::vector<ConfigRound> rounds;
  ConfigReturn back;
  uint64_t status_puts = 0;
  std::string failure;  // what was not reached within the limit, or why it ended; empty: success
};

class ConfigFleet {
 public:
  ConfigFleet(EventLoop& loop, Random& random, Disk& disk, const config::PluginCatalog& plugins,
              ConfigFleetOptions options);
  ~ConfigFleet();
  ConfigFleet(const ConfigFleet&) = delete;
  ConfigFleet& operator=(const ConfigFleet&) = delete;

  // Errors: certificate files that cannot be read. `done` is called once, from the loop.
  Status start(std::function<void()> done);
  // Ends early, with the result so far.
  void stop();
  const ConfigFleetResult& result() const { return result_; }
  // How many agents are watching their keys now, for progress messages.
  size_t watching() const;

 private:
  class Agent;
  void begin_agents();
  void look();
  bool reached();
  void next();
  void begin_round();
  void on_applied(const config::Settings& settings, size_t& round);
  void look_for_return();
  void finish(std::string failure);

  enum class Phase { kConnecting, kApplying, kReporting, kGoing, kReturning, kStaying, kDone };

  EventLoop& loop_;
  Random& random_;
  Disk& disk_;
  const config::PluginCatalog& plugins_;
  ConfigFleetOptions options_;
  grpc::ThreadResolver resolver_;
  std::unique_ptr<config::EtcdClient> author_;
  std::unique_ptr<config::EtcdCall> put_;
  std::vector<std::unique_ptr<Agent>> agents_;
  std::function<void()> done_;
  ConfigFleetResult result_;
  Phase phase_ = Phase::kConnecting;
  int64_t phase_since_ns_ = 0;
  int64_t round_since_ns_ = 0;  // monotonic time of the write
  int64_t return_since_ns_ = 0;
  Timers::TimerId look_timer_ = 0;
  Timers::TimerId begin_timer_ = 0;
};

}  // namespace monitor::load
