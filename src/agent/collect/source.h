// What a tick is made of: all collectors of this host together; simulated.h has made-up values. On the agent's loop;
// table and clock must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "agent/collect/collector.h"
#include "agent/collect/mount_prober.h"

namespace monitor::agent {

// How a collector fares, for metrics and --once.
struct CollectorState {
  uint64_t reads = 0;
  uint64_t failures = 0;
  int64_t last_duration_ns = 0;
  std::string error;  // of the last read; empty when it went well
};

class TickSource {
 public:
  virtual ~TickSource() = default;
  // What is wanted from now on of a grid, by its number; nothing: the grid is no more. What did not change goes on
  // undisturbed, and what another grid has read of the same source is where a new one's rates start from: a grid that
  // gets a metric is told before the one that loses it.
  virtual void configure(uint64_t grid, const std::vector<config::MetricSelection>& selections) = 0;
  // Reads what rates start from, for collectors that have none yet.
  virtual void baseline(const Moment& now) = 0;
  // Adds what can be read now; returns how many points the series table had no room for.
  virtual uint64_t collect(uint64_t grid, const Moment& now, metrics::Tick& tick) = 0;
  // Numbers of series that it keeps are not what they were.
  virtual void forget_series() {}
  // By the collector's name, over all grids.
  virtual std::map<std::string, CollectorState> states() const { return {}; }
};

class HostSource final : public TickSource {
 public:
  // `probe` asks mounts, from several threads.
  HostSource(const Roots& roots, metrics::SeriesTable& table, const Clock& clock, ProbeMount probe = probe_mount);
  ~HostSource() override;

  void configure(uint64_t grid, const std::vector<config::MetricSelection>& selections) override;
  void baseline(const Moment& now) override;
  uint64_t collect(uint64_t grid, const Moment& now, metrics::Tick& tick) override;
  void forget_series() override;
  std::map<std::string, CollectorState> states() const override;
  // Mounts that do not answer, while filesystems are collected.
  const std::vector<StuckMount>& stuck_mounts() const { return prober_->stuck(); }
  // How long a read waits for mounts at least; for whoever reads once.
  void set_patience(int64_t ns) { prober_->set_patience(ns); }
  // Told when a mount stops answering, and when it answers again.
  void set_on_stuck(std::function<void()> call) { on_stuck_ = std::move(call); }

 private:
  struct Slot {
    std::unique_ptr<Collector> collector;
    CollectorState state;
    bool has_baseline = false;
  };

  std::vector<Slot> make_slots() const;
  void adopt(Slot& slot, uint64_t grid);
  void read(Slot& slot, const Moment& now, TickBuilder& out);
  void forget_mounts();

  Roots roots_;
  metrics::SeriesTable& table_;
  const Clock& clock_;
  std::shared_ptr<MountProber> prober_;
  std::function<void()> on_stuck_;
  std::map<uint64_t, std::vector<Slot>> grids_;
};

}  // namespace monitor::agent
