// Bytes read from and written to disks, from /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst).
// block_topology.h decides which devices count.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/block_topology.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"
#include "inputs/proc/throughput_counter.h"

namespace monitor::agent {

// Skips malformed lines. Error: all lines are malformed. Ignores the columns that newer kernels add (discards,
// flushes), and the four-number lines that kernels before 2.6.25 print for partitions.
Status parse_diskstats(std::string_view text, std::vector<DiskLine>& out);

// The shape for KernelFile::read_table: depends on the devices and their numbers, not on their counters.
uint64_t diskstats_shape(std::string_view text);

class DiskCollector final : public Collector {
 public:
  explicit DiskCollector(const Roots& roots) : topology_(roots), file_(roots.procfs + "/diskstats") {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return throughput_.wanted(); }
  void adopt(const Collector& from) override;
  void forget_series() override { throughput_.forget_series(); }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  static constexpr ThroughputNames kNames = {
      "system.disk.io.rate", "system.disk.io", "disk.io.direction", {"read", "write"}, "system.device"};

  BlockTopology topology_;
  KernelFile file_;
  ThroughputCounter throughput_{kNames};
  std::vector<DiskLine> lines_;
};

}  // namespace monitor::agent
