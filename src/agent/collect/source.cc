#include "agent/collect/source.h"

#include <algorithm>
#include <cmath>

#include "agent/collect/cpu.h"
#include "agent/collect/disk.h"
#include "agent/collect/filesystem.h"
#include "agent/collect/load.h"
#include "agent/collect/memory.h"
#include "agent/collect/net.h"
#include "agent/collect/pressure.h"
#include "base/log.h"

namespace monitor::agent {

HostSource::HostSource(const Roots& roots, metrics::SeriesTable& table, const Clock& clock, ProbeMount probe)
    : roots_(roots), table_(table), clock_(clock), prober_(std::make_shared<MountProber>(clock, std::move(probe))) {}

HostSource::~HostSource() = default;

std::vector<HostSource::Slot> HostSource::make_slots() const {
  std::vector<Slot> slots;
  const auto add = [&slots](std::unique_ptr<Collector> collector) {
    slots.push_back({std::move(collector), {}, false});
  };
  add(std::make_unique<CpuCollector>(roots_));
  add(std::make_unique<MemoryCollector>(roots_));
  add(std::make_unique<DiskCollector>(roots_));
  add(std::make_unique<NetCollector>(roots_));
  add(std::make_unique<LoadCollector>(roots_));
  add(std::make_unique<UptimeCollector>(roots_));
  add(std::make_unique<FilesystemCollector>(roots_, prober_));
  add(std::make_unique<PressureCollector>(roots_));
  return slots;
}

void HostSource::configure(uint64_t grid, const std::vector<config::MetricSelection>& selections) {
  if (selections.empty()) {
    grids_.erase(grid);
    forget_mounts();
    return;
  }
  const auto [found, is_new] = grids_.try_emplace(grid);
  if (is_new) found->second = make_slots();
  for (Slot& slot : found->second) {
    slot.collector->configure(selections);
    if (!slot.collector->wanted()) {
      slot.has_baseline = false;
    } else if (!slot.has_baseline) {
      adopt(slot, grid);
    }
  }
  forget_mounts();
}

// Nobody asks for filesystems any more: none is reported as stuck.
void HostSource::forget_mounts() {
  for (const auto& [grid, slots] : grids_) {
    for (const Slot& slot : slots) {
      if (slot.collector->wanted() && slot.collector->name() == "filesystem") return;
    }
  }
  prober_->ask({}, {}, 0);
}

// What another grid's collector of the same source has read.
void HostSource::adopt(Slot& slot, uint64_t grid) {
  for (auto& [other, slots] : grids_) {
    if (other == grid) continue;
    for (Slot& from : slots) {
      if (from.collector->name() != slot.collector->name() || !from.has_baseline) continue;
      slot.collector->adopt(*from.collector);
      slot.has_baseline = true;
      return;
    }
  }
}

void HostSource::baseline(const Moment& now) {
  metrics::Tick thrown_away;
  TickBuilder out(table_, thrown_away);
  for (auto& [grid, slots] : grids_) {
    for (Slot& slot : slots) {
      if (slot.collector->wanted() && !slot.has_baseline) read(slot, now, out);
    }
  }
}

uint64_t HostSource::collect(uint64_t grid, const Moment& now, metrics::Tick& tick) {
  TickBuilder out(table_, tick);
  const auto found = grids_.find(grid);
  if (found == grids_.end()) return 0;
  const std::vector<StuckMount> stuck = prober_->stuck();
  for (Slot& slot : found->second) {
    if (slot.collector->wanted()) read(slot, now, out);
  }
  if (on_stuck_ && stuck != prober_->stuck()) on_stuck_();
  return out.over_cardinality();
}

void HostSource::forget_series() {
  for (auto& [grid, slots] : grids_) {
    for (Slot& slot : slots) slot.collector->forget_series();
  }
}

void HostSource::read(Slot& slot, const Moment& now, TickBuilder& out) {
  const int64_t start = clock_.mono_ns();
  const Status status = slot.collector->collect(now, out);
  slot.state.last_duration_ns = clock_.mono_ns() - start;
  ++slot.state.reads;
  slot.has_baseline = true;
  const std::string error = status ? "" : status.error().message();
  if (!status) ++slot.state.failures;
  if (error == slot.state.error) return;
  slot.state.error = error;
  if (status) {
    log_info("collector works again", {{"collector", slot.collector->name()}});
  } else {
    log_warning("collector failed; the others go on, it is tried again at every tick",
                {{"collector", slot.collector->name()}, {"reason", error}});
  }
}

std::map<std::string, CollectorState> HostSource::states() const {
  std::map<std::string, CollectorState> states;
  for (const auto& [grid, slots] : grids_) {
    for (const Slot& slot : slots) {
      if (!slot.collector->wanted()) continue;
      CollectorState& sum = states[std::string(slot.collector->name())];
      sum.reads += slot.state.reads;
      sum.failures += slot.state.failures;
      sum.last_duration_ns = slot.state.last_duration_ns;
      if (!slot.state.error.empty()) sum.error = slot.state.error;
    }
  }
  return states;
}

SimulatedSource::SimulatedSource(uint64_t seed, metrics::SeriesTable& table) : random_(seed), table_(table) {}

void SimulatedSource::configure(uint64_t grid, const std::vector<config::MetricSelection>& selections) {
  selections_[grid] = selections;
  if (selections.empty()) selections_.erase(grid);
}

void SimulatedSource::baseline(const Moment& now) {
  if (started_mono_ == 0) started_mono_ = now.mono_ns;
}

double SimulatedSource::walk(double& state, double step, double low, double high) {
  state = std::clamp(state + (random_.unit() - 0.5) * 2 * step, low, high);
  return state;
}

void SimulatedSource::add_io(TickBuilder& out, std::string_view metric, std::string_view label,
                             std::string_view direction, double& state, double scale) {
  walk(state, 0.05, 0, 1);
  const double burst = random_.below(20) == 0 ? 8 * random_.unit() : 0;
  out.add_integer(out.intern(rate_series(metric, {{std::string(label), std::string(direction)}})),
                  std::llround((state * state + burst) * scale));
}

uint64_t SimulatedSource::collect(uint64_t grid, const Moment& now, metrics::Tick& tick) {
  constexpr double kDay = 86'400e9;
  constexpr int64_t kGiB = 1 << 30;
  TickBuilder out(table_, tick);
  const double rhythm = 0.15 * std::sin(2 * M_PI * std::fmod(static_cast<double>(now.wall_ns), kDay) / kDay);
  for (const auto& selection : selections_[grid]) {
    const std::string& name = selection.name;
    if (name == "cpu") {
      out.add_share(out.intern(share_series("system.cpu.utilization")), walk(cpu_, 0.04, 0.02, 0.9) + rhythm * 0.5);
    } else if (name == "memory") {
      const double used = walk(memory_, 0.005, 0.1, 0.95);
      out.add_share(out.intern(share_series("system.memory.utilization")), used);
      out.add_integer(out.intern(bytes_series("system.memory.usage", {{"system.memory.state", "used"}})),
                      std::llround(used * 16 * kGiB / 4096) * 4096);
      out.add_integer(out.intern(bytes_series("system.memory.limit")), 16 * kGiB);
    } else if (name == "swap") {
      const double used = walk(swap_, 0.001, 0, 0.5);
      out.add_integer(out.intern(bytes_series("system.paging.usage", {{"system.paging.state", "used"}})),
                      std::llround(used * 4 * kGiB / 4096) * 4096);
      out.add_share(out.intern(share_series("system.paging.utilization", {{"system.paging.state", "used"}})), used);
    } else if (name == "disk read") {
      add_io(out, "system.disk.io.rate", "disk.io.direction", "read", io_[0], 40e6);
    } else if (name == "disk write") {
      add_io(out, "system.disk.io.rate", "disk.io.direction", "write", io_[1], 60e6);
    } else if (name == "net in") {
      add_io(out, "system.network.io.rate", "network.io.direction", "receive", io_[2], 12e6);
    } else if (name == "net out") {
      add_io(out, "system.network.io.rate", "network.io.direction", "transmit", io_[3], 9e6);
    } else if (name == "load") {
      const double load = walk(load_, 0.1, 0, 8);
      for (const char* minutes : {"1m", "5m", "15m"}) {
        out.add_integer(
            out.intern({std::string("system.cpu.load_average.") + minutes, {}, "1", metrics::Kind::kGauge, true, -2}),
            std::llround(load * 100));
      }
    } else if (name == "uptime") {
      out.add_integer(out.intern({"system.uptime", {}, "s", metrics::Kind::kGauge, true, -2}),
                      (now.mono_ns - started_mono_) / 10'000'000);
    } else if (name == "filesystem") {
      const double used = walk(filesystem_, 0.0005, 0.3, 0.95);
      out.add_integer(out.intern(bytes_series("system.filesystem.usage", {{"system.filesystem.state", "used"}})),
                      std::llround(used * 200 * kGiB / 4096) * 4096);
      out.add_share(out.intern(share_series("system.filesystem.utilization")), used);
    } else if (name == "pressure") {
      for (const char* resource : {"cpu", "memory", "io"}) {
        out.add_share(out.intern(share_series("system.pressure.stall", {{"resource", resource}, {"type", "some"}})),
                      walk(pressure_, 0.01, 0, 0.4));
      }
    }
  }
  return out.over_cardinality();
}

}  // namespace monitor::agent
