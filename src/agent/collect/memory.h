// Memory and swap from /proc/meminfo (proc_meminfo(5)).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/collect/collector.h"
#include "agent/collect/kernel_file.h"

namespace monitor::agent {

// In bytes. Kernels before 3.14 have no MemAvailable: it is estimated as free + buffers + cached then.
struct MemoryInfo {
  uint64_t total = 0;
  uint64_t available = 0;
  uint64_t swap_total = 0;
  uint64_t swap_free = 0;
};

Result<MemoryInfo> parse_meminfo(std::string_view text);

class MemoryCollector final : public Collector {
 public:
  explicit MemoryCollector(const Roots& roots) : file_(roots.procfs + "/meminfo") {}
  std::string_view name() const override { return "memory"; }
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return memory_ || swap_; }
  Status collect(const Moment& now, TickBuilder& out) override;

 private:
  void intern(TickBuilder& out);

  KernelFile file_;
  bool memory_ = false;
  bool swap_ = false;
  bool interned_ = false;
  metrics::SeriesId utilization_ = kNoSeries;
  metrics::SeriesId usage_ = kNoSeries;
  metrics::SeriesId limit_ = kNoSeries;
  metrics::SeriesId swap_usage_ = kNoSeries;
  metrics::SeriesId swap_utilization_ = kNoSeries;
};

}  // namespace monitor::agent
