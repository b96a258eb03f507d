// Load averages from /proc/loadavg, and the uptime from /proc/uptime. In a container both are those of the host. With
// lxcfs the uptime is the container's, and so is the load if lxcfs runs with --enable-loadavg.
#pragma once

#include <array>
#include <string_view>

#include "inputs/collector.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// Load averages over 1, 5 and 15 minutes, in hundredths, as the kernel prints them.
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
