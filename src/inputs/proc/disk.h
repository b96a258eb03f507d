// Bytes read from and written to disks, from /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst).
// Which devices count: block_topology.h.
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

// Malformed lines are left out; an error only when there are lines and none of them can be read. Columns that newer
// kernels add (discards, flushes) are ignored. Kernels before 2.6.25 print four numbers for a partition: left out too.
Status parse_diskstats(std::string_view text, std::vector<DiskLine>& out);

// For KernelFile::read_table: changes with the devices and their numbers, not with the counters.
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
