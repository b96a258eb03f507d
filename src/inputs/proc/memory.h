// Memory and swap from /proc/meminfo (proc_meminfo(5)), the ZFS cache, and the limits of a control group.
//
// Used is what is not available: pages of huge page pools are used, reserved or not. The figures equal those of psutil
// and `free` (total - available), but for the part of ZFS' cache (ARC) that ZFS gives back under pressure, which the
// kernel does not know to be available, and htop subtracts as well.
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

// Where MemAvailable says nothing (kernels before 3.14 have none, some print 0), available is what is free and what the
// page cache and reclaimable slabs hold without shared memory, which is none of the files' (MemFree + Buffers + Cached
// + SReclaimable - Shmem). Where it says more than there is, it is the host's figure in a container: MemFree counts.
Result<MemoryInfo> parse_meminfo(std::string_view text);

// The ARC of ZFS, from /proc/spl/kstat/zfs/arcstats: its size, and what of it ZFS keeps whatever happens (c_min).
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
  // A series that is made when it first has a value.
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
