// Pressure stall information from /proc/pressure (the kernel's Documentation/accounting/psi.rst): the share of time
// between two reads in which some or all tasks waited for a resource, computed from the kernel's totals in
// microseconds.
#pragma once

#include <array>
#include <optional>
#include <string_view>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// Totals in microseconds. Before Linux 5.13, cpu has no "full"; irq has only "full".
struct PressureTotals {
  std::optional<uint64_t> some;
  std::optional<uint64_t> full;
};

Result<PressureTotals> parse_pressure(std::string_view text);

class PressureCollector final : public Collector {
 public:
  explicit PressureCollector(const Roots& roots);
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override;
  void forget_series() override;
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  struct Resource {
    std::string_view name;
    KernelFile file;
    std::array<Delta, 2> deltas;  // some, full
    std::array<metrics::SeriesId, 2> ids{kNoSeries, kNoSeries};
  };

  bool wanted_ = false;
  int64_t last_mono_ = 0;
  std::vector<Resource> resources_;
};

}  // namespace monitor::agent
