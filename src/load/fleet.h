// Fleet: many simulated agents on one loop, each with its own connection, that load a server at a steady rate. Their
// batches are spread evenly over the interval.
//
// Thread contract: the loop's thread. All constructor arguments must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/random.h"
#include "grpc/resolver.h"
#include "grpc/secure_transform.h"
#include "load/delays.h"
#include "load/fleet_batches.h"
#include "load/sim_agent.h"

namespace monitor::load {

struct FleetOptions {
  HostPort server;
  std::shared_ptr<const grpc::SecurityContext> security;  // nullptr: plaintext
  std::string prefix = "load";                            // agents are PREFIX-1, PREFIX-2, ...
  size_t agents = 100;
  int64_t interval_ns = kNanosPerSecond;
  size_t points = 40;
  int64_t duration_ns = 60 * kNanosPerSecond;
  int64_t ramp_ns = 0;                     // agents connect evenly over this time; 0: as fast as they can
  int64_t drain_ns = 5 * kNanosPerSecond;  // time for the remaining batches at the end
  size_t window = 16;                      // unacknowledged batches per agent, within the server's window of bytes
  uint64_t seed = 1;                       // seed of the values
};

// The outcome of one agent's batches.
struct AgentOutcome {
  std::string id;
  std::string incarnation;
  uint64_t made = 0;          // number of batches, with sequences 1 to `made`
  uint64_t acknowledged = 0;  // how many of them were acknowledged
  uint64_t rejected = 0;
  uint64_t resent = 0;  // each may be in the log once more
};

class Fleet {
 public:
  enum class Phase { kConnecting, kRunning, kDraining, kDone };

  Fleet(EventLoop& loop, Random& random, FleetOptions options);
  ~Fleet();
  Fleet(const Fleet&) = delete;
  Fleet& operator=(const Fleet&) = delete;

  // `done` is called once, when the time is over and every batch is acknowledged or given up.
  void start(std::function<void()> done);
  // Ends early but in order: stops the ticks, then drains.
  void stop();

  Phase phase() const { return phase_; }
  const FleetCounts& counts() const { return counts_; }
  const Delays& delays() const { return delays_; }
  // Time from the first tick to the last one so far, and the number of batches acknowledged until then.
  int64_t running_ns() const;
  uint64_t acknowledged_in_time() const { return phase_ < Phase::kDraining ? counts_.acknowledged : in_time_; }
  uint64_t waiting() const;  // ticks that are due but not sent, because the server accepts no more
  uint64_t unacknowledged() const;
  std::vector<AgentOutcome> outcomes() const;

 private:
  std::unique_ptr<grpc::CallStarter> connection();
  void connect_more();
  void settled();
  void run();
  void pace();
  void beat();
  void drain();
  void finish();

  EventLoop& loop_;
  FleetOptions options_;
  grpc::ThreadResolver resolver_;
  FleetBatches batches_;
  FleetCounts counts_;
  Delays delays_;
  SimAgent::Shared shared_;
  std::vector<std::unique_ptr<SimAgent>> agents_;
  std::function<void()> done_;
  Phase phase_ = Phase::kConnecting;
  size_t settled_ = 0;
  int64_t started_ns_ = 0;  // when connecting started
  int64_t running_since_ns_ = 0;
  int64_t running_until_ns_ = 0;
  uint64_t in_time_ = 0;  // acknowledged before the end of the load
  uint64_t paced_ = 0;    // ticks of all agents so far
  Timers::TimerId timer_ = 0;
  Timers::TimerId beat_timer_ = 0;
};

}  // namespace monitor::load
