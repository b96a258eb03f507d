// HostSource: reads ticks from the kernel of this host, with one set of collectors per schedule. Runs on the agent's
// loop. The table and the clock must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/proc/mount_prober.h"
#include "inputs/proc/roots.h"
#include "inputs/tick_source.h"

namespace monitor::agent {

class HostSource final : public TickSource {
 public:
  // `probe` queries a mount. It is called on several threads at a time.
  HostSource(const Roots& roots, metrics::SeriesTable& table, const Clock& clock, ProbeMount probe = probe_mount);
  ~HostSource() override;

  void configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) override;
  void baseline(const Timestamp& now) override;
  // Collectors of rates have no values yet, so a usual reading gives what is there at once.
  uint64_t open(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) override {
    return collect(schedule, now, tick);
  }
  uint64_t collect(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) override;
  void forget_series() override;
  std::map<std::string, CollectorState> states() const override;
  std::vector<StuckMount> stuck_mounts() const override { return prober_->stuck(); }
  void set_on_stuck(std::function<void()> call) override { on_stuck_ = std::move(call); }
  // Minimum time that a read waits for mounts. For programs that read once.
  void set_patience(int64_t ns) { prober_->set_patience(ns); }

 private:
  struct Slot {
    std::string_view name;
    std::unique_ptr<Collector> collector;
    CollectorState state;
    bool has_baseline = false;
    bool optional = false;  // all selections of it are optional
    bool worked = false;
  };

  std::vector<Slot> make_slots() const;
  void adopt(Slot& slot, uint64_t schedule);
  void read(Slot& slot, const Timestamp& now, TickBuilder& out);
  void forget_mounts();

  Roots roots_;
  metrics::SeriesTable& table_;
  const Clock& clock_;
  std::shared_ptr<MountProber> prober_;
  std::function<void()> on_stuck_;
  std::map<uint64_t, std::vector<Slot>> schedules_;
};

}  // namespace monitor::agent
