// Processor time from /proc/stat (proc_stat(5)).
//
// The figures equal those that psutil and `mpstat` compute from the same two readings: the share of a mode is its
// growth over the growth of all modes, and a mode that fell grew by 0. Where such a share would be made up (the
// counters began anew, or jumped), there is none.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// In ticks of sysconf(_SC_CLK_TCK), since the host was started. As in the file, user and nice include the time in which
// guests ran (the columns guest and guest_nice, which say how much of it): it is busy time, and counts once.
struct CpuTimes {
  enum Mode { kUser, kNice, kSystem, kIdle, kIowait, kIrq, kSoftirq, kSteal, kModes };
  std::array<uint64_t, kModes> modes{};
};

struct CpuLine {
  int64_t core = -1;  // -1: all of them together
  CpuTimes times;
};

// The cpu lines, the sum first. The malformed line of one processor is left out; an error when there is no sum.
Status parse_stat(std::string_view text, std::vector<CpuLine>& out);

// What passed between two readings, in ticks; busy is what was neither idle nor waiting for I/O.
struct CpuGrowth {
  uint64_t total = 0;
  uint64_t busy = 0;
  std::array<uint64_t, CpuTimes::kModes> modes{};
};

// How two readings of one line relate.
enum class CpuChange {
  kGrew,    // the growth is known
  kStill,   // no tick passed
  kUneven,  // a counter fell a little and hid most of the time that passed
  kJumped,  // a counter fell by more than the kernel's jitter, or all grew by more than the time that passed: suspend
            // and resume, a processor that came back, a migrated guest
};

// `elapsed_ns`: between the readings; 0 when unknown. `cpus`: how many processors the line sums; 0 when unknown.
CpuChange cpu_growth(const CpuTimes& before, const CpuTimes& after, int64_t elapsed_ns, size_t cpus, CpuGrowth& growth);

class CpuCollector final : public Collector {
 public:
  explicit CpuCollector(const Roots& roots) : file_(roots.procfs + "/stat") {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override;
  void forget_series() override;
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  struct CoreState {
    CpuTimes last;
    int64_t last_mono = 0;
    uint64_t last_reading = 0;
    std::optional<CpuGrowth> growth;  // of this reading
    metrics::SeriesId busy = kNoSeries;
    std::array<metrics::SeriesId, CpuTimes::kModes> modes{};
    bool interned = false;
  };

  // False when the line's growth is not known and hides what its sum grew by.
  bool update(CoreState& state, const CpuTimes& times, const Timestamp& now, size_t cpus) const;
  void add(CoreState& state, int64_t core, TickBuilder& out) const;
  void intern(CoreState& state, int64_t core, TickBuilder& out) const;

  KernelFile file_;
  bool wanted_ = false;
  bool per_core_ = false;
  bool modes_ = false;
  uint64_t reading_ = 0;
  std::vector<CpuLine> lines_;
  std::unordered_map<int64_t, CoreState> cores_;  // by number; -1: the sum
};

}  // namespace monitor::agent
