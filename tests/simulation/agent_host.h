// A machine with an agent: its clock, its disk, and the process, which is started, killed and restarted. The process is
// the real agent, spool and uplink; only its measurements are simulated.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "agent/agent.h"
#include "base/testing/fault_disk.h"
#include "base/worker.h"
#include "outputs/stream/uplink.h"
#include "simulation/ledger.h"
#include "simulation/network.h"
#include "simulation/schedule.h"
#include "spool/file_spool.h"

namespace monitor::simulation {

// Runs the process's syncs one after another. Each takes some time of the host's clock.
class SlowWorker final : public Worker {
 public:
  SlowWorker(Schedule& schedule, Random& random) : schedule_(schedule), random_(random) {}
  void submit(std::function<void()> work, std::function<void()> done) override;
  bool idle() const { return jobs_.empty(); }
  // Called when the process dies.
  void forget();
  // Called when the last job has ended.
  void when_idle(std::function<void()> call);
  int64_t most_ns = kUsual;

  static constexpr int64_t kUsual = 10 * kNanosPerMilli;

 private:
  void begin();

  Schedule& schedule_;
  Random& random_;
  Life life_;
  std::deque<std::pair<std::function<void()>, std::function<void()>>> jobs_;
  std::function<void()> idle_;
};

struct AgentPlan {
  std::string agent_id;
  std::vector<uint16_t> servers;
  agent::SpoolSync sync = agent::SpoolSync::k100Ms;
  agent::SpoolFull full = agent::SpoolFull::kDropOldest;
  uint64_t max_bytes = uint64_t{1} << 20;
  uint64_t segment_bytes = 0;
  uint64_t memory_bytes = uint64_t{64} << 20;
  int64_t interval_ns = kNanosPerSecond;
  size_t label_bytes = 0;   // determines the size of batches
  int payload = 1;          // version of the batches of its first run
  bool alternates = false;  // each run makes the other version: an upgrade, or a downgrade with a spool of v2
};

enum class AgentState { kDown, kRecovering, kAlone, kQuiet, kInFlight, kBacklog, kMemory, kStopping };

class AgentHost {
 public:
  struct Environment {
    Schedule& schedule;
    Network& network;
    Ledger& ledger;
    Random& random;
  };
  AgentHost(Environment environment, AgentPlan plan, int64_t mono_offset_ns);
  ~AgentHost();
  AgentHost(const AgentHost&) = delete;
  AgentHost& operator=(const AgentHost&) = delete;

  void start();
  // SIGKILL.
  void kill();
  void lose_power();
  // Stops cleanly; calls `done` when the process has ended.
  void stop(std::function<void()> done);
  // Creates a host with a copy of this one's disk.
  std::unique_ptr<AgentHost> clone(AgentPlan plan, int64_t mono_offset_ns);
  // Sends only heartbeats from now on.
  void rest();

  // --- disk faults; the world starts and ends them
  void disk_fails(monitor::testing::FaultDisk::Judge judge, bool reads);
  void disk_is_full(uint64_t room);
  void disk_heals();
  void crash_at_call(uint64_t calls_from_now) { disk_.crash_at(disk_.calls() + calls_from_now); }
  void never_crash() { disk_.crash_at(0); }
  // Syncs may take long.
  void sync_is_slow(int64_t most_ns);
  void sync_is_usual();
  bool crashed() const { return disk_.crashed(); }

  bool up() const { return process_ != nullptr; }
  bool down() const { return process_ == nullptr && !closing_; }
  AgentState state() const;
  // No batch waits for the server.
  bool drained() const;
  Host& host() { return host_; }
  const AgentPlan& plan() const { return plan_; }
  // The Hello of the current process, or of the last one.
  stream::Hello hello() const;
  // A description for messages.
  std::string describe() const;
  bool has_run() const { return !runs_.empty(); }
  // Version of the payload that the current run makes.
  int payload() const { return plan_.alternates && runs_.size() % 2 == 0 ? 3 - plan_.payload : plan_.payload; }

 private:
  class Process;
  friend class Process;

  Ledger& ledger() const { return environment_.ledger; }
  void end_process();
  void finish_stop();
  void observe_memory();
  void begin_suspicion();
  void expose_all();
  void expose_by_kill();
  void expose_by_power();
  bool durable(const Entry& entry, size_t run) const;

  Environment environment_;
  AgentPlan plan_;
  Host host_;
  monitor::testing::FaultDisk disk_;
  SlowWorker worker_;
  std::unique_ptr<Process> process_;
  std::vector<size_t> runs_;             // its incarnations, and those of the disk that it was copied from
  std::vector<int64_t> lived_until_ns_;  // end of each run; INT64_MAX while it is running
  int64_t started_ns_ = 0;
  bool closing_ = false;
  bool failing_ = false;       // disk fault injected
  bool reads_fail_ = false;    //
  bool suspecting_ = false;    // batches may be only in memory
  int64_t relaxed_ns_ = 0;     // since then, no batch was only in memory
  int64_t slow_until_ns_ = 0;  // earlier batches may be synced late
  std::function<void()> stopped_;
};

}  // namespace monitor::simulation
