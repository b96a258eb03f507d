// The run of one seed: agents, servers, a log and readers, with at least 100 batches and 10 faults. Then all faults
// end, and all guarantees are checked. The same seed always gives the same run, step by step.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "simulation/agent_host.h"
#include "simulation/coverage.h"
#include "simulation/ledger.h"
#include "simulation/network.h"
#include "simulation/producer.h"
#include "simulation/reader_host.h"
#include "simulation/schedule.h"
#include "simulation/server_host.h"

namespace monitor::simulation {

struct Outcome {
  std::string failure;  // empty: success
  uint64_t batches = 0;
  uint64_t faults = 0;
  uint64_t steps = 0;
  uint64_t as_v2 = 0;      // records of payload v2 in the log
  uint64_t converted = 0;  // records of v1 in the log that were made as v2
};

class World {
 public:
  static constexpr uint64_t kBatches = 100;
  static constexpr uint64_t kLeastFaults = 10;

  // With `trace`, prints every fault.
  World(uint64_t seed, Coverage& coverage, bool trace);
  ~World();
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  Outcome run();

 private:
  struct Intruder;

  // Building: world.cc
  void build();
  AgentPlan plan_agent(size_t number);
  void start_all();

  // Running: world.cc
  void run_until_done();
  bool step(int64_t until_ns);
  bool enough() const { return faults_ >= wanted_faults_ && ledger_.batches() >= kBatches; }
  void settle();
  void wait_until_drained(const char* when);
  void compare_with_readers();
  void check_crashes();
  void heal();
  std::string waiting();
  int64_t some(int64_t least_ns, int64_t most_ns);
  bool chance(uint64_t percent) { return random_.below(100) < percent; }

  // Faults: faults.cc. False: there was no target.
  void next_fault();
  bool strike(Fault fault);
  bool strike_agent(Fault fault);
  bool strike_process(Fault fault, AgentHost& agent);
  bool strike_disk(Fault fault, AgentHost& agent);
  bool strike_identity(Fault fault, AgentHost& agent);
  bool strike_link(Fault fault);
  bool strike_server(Fault fault);
  bool strike_log(Fault fault);
  bool strike_reader(Fault fault);
  void restart_later(AgentHost& agent);
  void restart_later(ServerHost& server);
  void note(Fault fault, size_t state, std::string_view whose = "");

  SeededRandom random_;
  SeededRandom versions_;  // of the payload, so that they do not change what else a seed decides
  Coverage& coverage_;
  bool trace_;
  Schedule schedule_;
  Ledger ledger_{schedule_};
  Network network_{schedule_, random_};
  Host log_host_{schedule_, 0};
  std::unique_ptr<LogCluster> cluster_;
  std::vector<std::unique_ptr<ServerHost>> servers_;
  std::vector<std::unique_ptr<AgentHost>> agents_;
  std::vector<std::unique_ptr<ReaderHost>> readers_;
  std::vector<std::unique_ptr<Intruder>> intruders_;
  int64_t gap_ns_ = 0;  // average time between faults
  uint64_t faults_ = 0;
  uint64_t wanted_faults_ = 0;
  uint64_t steps_ = 0;
  int64_t last_fault_ns_ = 0;
};

}  // namespace monitor::simulation
