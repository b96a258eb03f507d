// CPU utilization from /proc/stat (proc_stat(5)).
//
// The figures equal those of psutil and `mpstat` for the same two readings: the share of a mode is its growth divided
// by the growth of all modes, and a mode that fell slightly counts as no growth. If the counters restarted or jumped,
// there is no share.
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

// In ticks of sysconf(_SC_CLK_TCK) since boot. As in the file, user and nice include guest time, which is busy time.
// The columns guest and guest_nice repeat that time and are ignored.
struct CpuTimes {
  enum Mode { kUser, kNice, kSystem, kIdle, kIowait, kIrq, kSoftirq, kSteal, kModes };
  std::array<uint64_t, kModes> modes{};
};

struct CpuLine {
  int64_t core = -1;  // -1: the sum over all processors
  CpuTimes times;
};

// Parses the cpu lines, the sum first. Skips malformed lines of single processors. Error: the sum is missing.
Status parse_stat(std::string_view text, std::vector<CpuLine>& out);

// Growth between two readings, in ticks. Busy time is all time except idle and iowait.
struct CpuGrowth {
  uint64_t total = 0;
  uint64_t busy = 0;
  std::array<uint64_t, CpuTimes::kModes> modes{};
};

// The relation of two readings of one line.
enum class CpuChange {
  kGrew,    // the growth is known
  kStill,   // no tick passed
  kUneven,  // a counter fell slightly and hid most of the elapsed time
  kJumped,  // a counter fell by more than the kernel's jitter, or the sum grew by more than the elapsed time: suspend
            // and resume, a processor that came online again, a migrated guest
};

// `elapsed_ns`: time between the readings. `cpus`: number of processors in the line. Both: 0 if unknown.
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
    std::optional<CpuGrowth> growth;  // in this reading
    metrics::SeriesId busy = kNoSeries;
    std::array<metrics::SeriesId, CpuTimes::kModes> modes{};
    bool interned = false;
  };

  // Returns false if the line's growth is unknown, which makes the growth of the sum unknown as well.
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
