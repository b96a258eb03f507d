// Memory and swap from /proc/meminfo (proc_meminfo(5)), the ZFS cache, and the limits of a control group.
//
// Used memory is total - available, as in psutil and `free`. All pages of huge page pools count as used. The part of
// the ZFS cache (ARC) that ZFS gives back under memory pressure counts as available, as in htop; the kernel does not
// include it in MemAvailable.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/cgroup_memory.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// In bytes.
struct MemoryInfo {
  uint64_t total = 0;
  uint64_t available = 0;
  std::optional<uint64_t> swap_total;
  std::optional<uint64_t> swap_free;
};

// Without MemAvailable (kernels before 3.14; some print 0), available is MemFree + Buffers + Cached + SReclaimable -
// Shmem: free memory, page cache and reclaimable slabs, without shared memory. In a container, MemAvailable above
// MemTotal is the host's figure, and MemFree is used instead.
Result<MemoryInfo> parse_meminfo(std::string_view text);

// The ARC of ZFS, from /proc/spl/kstat/zfs/arcstats: its size, and the minimum that ZFS never gives back (c_min).
struct ArcInfo {
  uint64_t size = 0;
  uint64_t least = 0;

  uint64_t reclaimable() const { return size - std::min(size, least); }
};
std::optional<ArcInfo> parse_arcstats(std::string_view text);

class MemoryCollector final : public Collector {
 public:
  explicit MemoryCollector(const Roots& roots)
      : file_(roots.procfs + "/meminfo"), arc_file_(roots.procfs + "/spl/kstat/zfs/arcstats"), cgroup_(roots) {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return memory_ || swap_; }
  void forget_series() override;
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  // A series that is added to the table with its first value.
  struct Lazy {
    metrics::SeriesId id = kNoSeries;
    bool interned = false;
  };

  void intern(TickBuilder& out);
  void add_memory(MemoryInfo info, TickBuilder& out);
  void add_swap(const MemoryInfo& info, TickBuilder& out);
  std::optional<ArcInfo> arc();
  static void add_bytes(Lazy& series, std::string_view name, uint64_t value, TickBuilder& out);

  KernelFile file_;
  KernelFile arc_file_;
  CgroupMemory cgroup_;
  bool memory_ = false;
  bool swap_ = false;
  bool interned_ = false;
  metrics::SeriesId utilization_ = kNoSeries;
  metrics::SeriesId usage_ = kNoSeries;
  metrics::SeriesId limit_ = kNoSeries;
  metrics::SeriesId swap_usage_ = kNoSeries;
  metrics::SeriesId swap_utilization_ = kNoSeries;
  Lazy arc_size_;
  Lazy arc_reclaimable_;
  Lazy group_usage_;
  Lazy group_working_set_;
  Lazy group_limit_;
  Lazy group_utilization_;
  Lazy group_swap_usage_;
  Lazy group_swap_limit_;
};

}  // namespace monitor::agent
