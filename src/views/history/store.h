// HistoryStore: writes the history. A Consumer feeds it. It also stores the reader's snapshots: rows and position are
// written in one transaction, so that a kill at any moment neither loses nor doubles a point.
//
// New ticks are rows of their own; when five minutes are complete, they become blocks (tick_store.h).
//
// A tick is stored at its own time, however late it arrives. If an agent's clock cannot be right, its times are
// corrected by the difference from the log's time. That is the case if it is more than kMostAhead ahead, or so far
// behind that the agent itself would have dropped the batch.
//
// Not thread-safe. The clock and the registry must outlive it. The file is locked: one process at a time can use it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/lock_file.h"
#include "base/trusted_clock.h"
#include "consume/view.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "views/history/agent_table.h"
#include "views/history/agents.h"
#include "views/history/database.h"
#include "views/history/options.h"
#include "views/history/resolution.h"
#include "views/history/tick_store.h"

namespace monitor::analysis::history {

class HistoryStore final : public View, public metriclog::SnapshotStore {
 public:
  // Errors: kAborted if another process has the file; those of the disk.
  static Result<std::unique_ptr<HistoryStore>> open(const HistoryOptions& options, const Clock& clock,
                                                    telemetry::Registry& registry);

  ~HistoryStore() override;

  std::string_view kind() const override { return "history"; }
  void apply(const metriclog::Record& record, const metrics::Batch& batch) override;

  Result<std::vector<metriclog::Snapshot>> load(const std::string& log) override;
  // Commits everything that was applied, and the snapshots. After an error, nothing of it is stored, and nothing more
  // is accepted until reset(); the reader must then start again with load().
  Status store(const std::string& log, std::span<const metriclog::Snapshot> snapshots) override;
  void reset();

  // Deletes expired data, and if the file is still too large, the oldest of the rest. Call from time to time, after
  // store().
  Status expire();

  // Their `seen_ns` may be up to five seconds too old.
  Result<std::vector<KnownAgent>> known_agents() { return read_agents(db_); }
  // Agents whose newest record came from another log than the one passed to load() last.
  Result<std::vector<KnownAgent>> agents_of_other_logs();
  // Deletes agents, with all their data, that have nothing newer than the given times. Call after store().
  Status forget(const std::map<std::string, int64_t, std::less<>>& agents);
  int64_t last_commit_ns() const { return last_commit_ns_; }

 private:
  struct Metrics {
    explicit Metrics(telemetry::Registry& registry);
    telemetry::Counter& points;
    telemetry::Counter& over_series;
    telemetry::Counter& over_agents;
    telemetry::Counter& out_of_time;
    telemetry::Counter& expired;
    telemetry::Counter& damaged;
    telemetry::Gauge& series;
    telemetry::Gauge& agents;
    telemetry::Gauge& bytes;
    telemetry::Gauge& failing;
  };

  HistoryStore(const HistoryOptions& options, const Clock& clock, telemetry::Registry& registry, Database db,
               LockFile lock);
  Status prepare();

  Status apply_batch(const metriclog::Record& record, const metrics::Batch& batch);
  Status add_tick(AgentTable::Agent& agent, const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns,
                  int64_t now_ns);
  Status begin();

  Result<uint64_t> used_bytes();
  Status seal_in_time();
  Status delete_older(const std::array<int64_t, 4>& before);
  Status expire_blocks(int64_t before_ns);
  Status note_kept(const std::array<int64_t, 4>& before);
  Status delete_blocks(const std::string& which);
  Status shrink(uint64_t used);
  Status forget_gone(int64_t now_ns);
  Status make_way(const std::string& seen_before);
  Status delete_agents(const std::string& ids);

  const HistoryOptions options_;
  const Clock& clock_;
  PosixDisk disk_;
  TrustedClock trusted_;  // its time is stored next to the file, in PATH-clock
  Metrics metrics_;
  LockFile lock_;
  Database db_;
  Statement store_position_, store_identity_;
  AgentTable agents_;
  TickStore ticks_;

  std::array<int64_t, 4> keep_ns_;  // currently applied; shorter than configured while the file is too large
  std::string log_;                 // identity of the log being read; empty: unknown
  bool open_ = false;               // a transaction is open
  Status failure_;
  int64_t last_commit_ns_ = 0;
  uint64_t damaged_ = 0;  // of ticks_.damaged(), what the metric has

  std::string bytes_;  // kept to reuse its memory
  std::vector<std::pair<uint32_t, const metrics::Point*>> order_;
};

}  // namespace monitor::analysis::history
