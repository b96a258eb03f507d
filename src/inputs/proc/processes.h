// The processes of a host: how many there are in each state, how many were created, and CPU time, memory and I/O of the
// top ones (top_list.h) and of groups (process_groups.h).
//
// Processes are those of the procfs: in a container without --procfs, the container's own.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/process_groups.h"
#include "inputs/proc/process_table.h"
#include "inputs/proc/roots.h"
#include "inputs/proc/top_list.h"
#include "inputs/proc/user_names.h"

namespace monitor::agent {

// In which units the kernel counts; they depend on the architecture.
struct KernelUnits {
  uint64_t ticks_per_second = 100;
  uint64_t page_bytes = 4096;

  static KernelUnits of_system();
};

// `cpu_ticks` as a share of the time of all processors, in steps of 10^kFineShareExponent, at most 1.
int64_t processor_share(uint64_t cpu_ticks, uint64_t ticks_per_second, int64_t elapsed_ns, uint64_t processors);

class ProcessesCollector final : public Collector {
 public:
  explicit ProcessesCollector(const Roots& roots, const KernelUnits& units = KernelUnits::of_system(),
                              ProcessTable::ReadAt read_at = {});
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override;
  void forget_series() override;
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  void add_states(TickBuilder& out);
  void add_created(uint64_t created, int64_t elapsed_ns, TickBuilder& out);
  void add_process(const Process& process, ListedProcess& listed, int64_t elapsed_ns, TickBuilder& out);
  bool describe(const Process& process, ListedProcess& listed, int64_t mono_ns);
  void add_groups(const Timestamp& now, int64_t elapsed_ns, TickBuilder& out);
  void log_hidden();

  KernelUnits units_;
  KernelFile stat_;
  ProcessTable table_;
  TopList list_;
  ProcessGroups groups_;
  UserNames users_;
  bool wanted_ = false;
  bool counters_ = false;
  bool has_groups_ = false;
  bool hidden_ = false;  // in the last reading; logged once
  size_t top_ = 0;
  int64_t last_mono_ = 0;
  uint64_t processors_ = 0;
  Delta created_;
  std::array<metrics::SeriesId, kProcessStates> state_ids_{};
  metrics::SeriesId created_rate_id_ = kNoSeries;
  metrics::SeriesId created_id_ = kNoSeries;
};

}  // namespace monitor::agent
