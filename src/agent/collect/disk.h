// Bytes read from and written to disks, from /proc/diskstats (the kernel's Documentation/admin-guide/iostats.rst).
//
// Whole physical disks are counted: neither partitions, nor what is stacked on other block devices (dm, md: they have
// slaves in sysfs), nor loop, ram and zram devices, whose data is another's.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collect/collector.h"
#include "agent/collect/io_rates.h"
#include "agent/collect/kernel_file.h"

namespace monitor::agent {

struct DiskLine {
  std::string_view device;
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};

// Malformed lines are left out; an error only when there are lines and none of them can be read.
Status parse_diskstats(std::string_view text, std::vector<DiskLine>& out);

// Whether a block device counts, by sysfs; without sysfs by its name.
bool counts_as_disk(const std::string& sysfs, const std::string& device);

class DiskCollector final : public Collector {
 public:
  explicit DiskCollector(const Roots& roots) : sysfs_(roots.sysfs), file_(roots.procfs + "/diskstats") {}
  std::string_view name() const override { return "disk"; }
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return rates_.wanted(); }
  void adopt(const Collector& from) override;
  Status collect(const Moment& now, TickBuilder& out) override;

 private:
  static constexpr IoNames kNames = {
      "system.disk.io.rate", "system.disk.io", "disk.io.direction", {"read", "write"}, "system.device"};

  std::string sysfs_;
  KernelFile file_;
  IoRates rates_{kNames};
  std::vector<DiskLine> lines_;
};

}  // namespace monitor::agent
