// Load averages from /proc/loadavg and the uptime from /proc/uptime. In a container they are the host's: the kernel has
// one of each. Where lxcfs is mounted over the files, the uptime is the container's, and the load, too, if lxcfs
// computes it (its option --enable-loadavg).
#pragma once

#include <array>
#include <string_view>

#include "inputs/collector.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// In hundredths, as the kernel prints them; over 1, 5 and 15 minutes.
Result<std::array<int64_t, 3>> parse_loadavg(std::string_view text);
// In hundredths of a second.
Result<int64_t> parse_uptime(std::string_view text);

class LoadCollector final : public Collector {
 public:
  explicit LoadCollector(const Roots& roots) : file_(roots.procfs + "/loadavg") {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void forget_series() override { interned_ = false; }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  KernelFile file_;
  bool wanted_ = false;
  bool interned_ = false;
  std::array<metrics::SeriesId, 3> ids_{};
};

class UptimeCollector final : public Collector {
 public:
  explicit UptimeCollector(const Roots& roots) : file_(roots.procfs + "/uptime") {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void forget_series() override { id_ = kNoSeries; }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  KernelFile file_;
  bool wanted_ = false;
  metrics::SeriesId id_ = kNoSeries;
};

}  // namespace monitor::agent
