// Processor time from /proc/stat (proc_stat(5)).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/collect/collector.h"
#include "agent/collect/kernel_file.h"

namespace monitor::agent {

// In jiffies, since the host was started. Guest time is part of user and nice in the file, and taken out of them here.
struct CpuTimes {
  enum Mode { kUser, kNice, kSystem, kIdle, kIowait, kIrq, kSoftirq, kSteal, kModes };
  std::array<uint64_t, kModes> modes{};
};

struct CpuLine {
  int64_t core = -1;  // -1: all of them together
  CpuTimes times;
};

// The cpu lines, the sum first. An error when there is no sum or a line is malformed.
Status parse_stat(std::string_view text, std::vector<CpuLine>& out);

// What passed between two readings, and the share of it that was busy (neither idle nor waiting for I/O).
// Nothing when no time passed or a counter went backwards by more than the kernel's known jitter of idle and iowait.
struct CpuShares {
  double busy = 0;
  std::array<double, CpuTimes::kModes> modes{};
};
std::optional<CpuShares> cpu_shares(const CpuTimes& before, const CpuTimes& after);

class CpuCollector final : public Collector {
 public:
  explicit CpuCollector(const Roots& roots) : file_(roots.procfs + "/stat") {}
  std::string_view name() const override { return "cpu"; }
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override;
  Status collect(const Moment& now, TickBuilder& out) override;

 private:
  struct CoreState {
    CpuTimes last;
    bool seen = false;
    metrics::SeriesId busy = kNoSeries;
    std::array<metrics::SeriesId, CpuTimes::kModes> modes{};
    bool interned = false;
  };

  void intern(CoreState& state, int64_t core, TickBuilder& out);

  KernelFile file_;
  bool wanted_ = false;
  bool per_core_ = false;
  bool modes_ = false;
  std::vector<CpuLine> lines_;
  std::unordered_map<int64_t, CoreState> cores_;  // by number; -1: the sum
};

}  // namespace monitor::agent
