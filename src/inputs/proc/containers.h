// The containers of a host, by their control groups: CPU time, throttling, memory, OOM kills, I/O, threads and
// pressure.
//
// A reading walks the hierarchy and recognizes containers by their paths (container_path.h); it needs no runtime's
// socket and keeps no file open. Containers are those below the mount point of /sys/fs/cgroup: in a container, its own
// descendants.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/cgroup_figures.h"
#include "inputs/proc/container_labels.h"
#include "inputs/proc/container_path.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

// The groups of containers below `root`, by path. Folders of one level are in the order of their names.
class ContainerFinder {
 public:
  using Found = std::pair<std::string, ContainerIdentity>;

  static constexpr size_t kMostFolders = 50'000;  // that are looked into; the others are left out
  static constexpr int kMostLevels = 32;

  // Replaces `out`.
  void find(const std::string& root, std::vector<Found>& out);

 private:
  void walk(const std::string& root, const std::string& path, int level, std::vector<Found>& out);
  size_t folders_ = 0;
};

class ContainersCollector final : public Collector {
 public:
  explicit ContainersCollector(const Roots& roots);
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void adopt(const Collector& from) override;
  void forget_series() override;
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  // One series of a container; the order of kSeries in containers.cc.
  static constexpr size_t kSeriesCount = 23;

  struct Container {
    ContainerIdentity identity;
    metrics::Labels labels;
    uint64_t last_reading = 0;
    Delta cpu, periods, throttled;
    std::array<Delta, 2> io;
    std::array<Delta, 6> pressure;  // some and full of each resource
    std::array<metrics::SeriesId, kSeriesCount> ids{};
  };

  void look_for(const Timestamp& now);
  void add(Container& container, const CgroupFigures& figures, int64_t elapsed_ns, TickBuilder& out) const;
  void add_cpu(Container& container, const CgroupFigures& figures, int64_t elapsed_ns, TickBuilder& out) const;
  void add_memory(Container& container, const CgroupFigures& figures, TickBuilder& out) const;
  void add_io(Container& container, const CgroupFigures& figures, int64_t elapsed_ns, TickBuilder& out) const;
  void add_pressure(Container& container, const CgroupFigures& figures, int64_t elapsed_ns, TickBuilder& out) const;
  void log_omitted(size_t omitted);

  CgroupReader reader_;
  ContainerLabels labels_;
  ContainerFinder finder_;
  std::string mount_;
  std::vector<ContainerFinder::Found> found_;
  std::unordered_map<std::string, Container> containers_;  // by path
  bool wanted_ = false;
  bool counters_ = false;
  bool pressure_ = false;
  size_t most_ = 0;
  size_t omitted_ = 0;  // in the last reading; logged when it begins and ends
  uint64_t reading_ = 0;
  int64_t last_mono_ = 0;
  metrics::SeriesId count_id_ = kNoSeries;
  metrics::SeriesId omitted_id_ = kNoSeries;
};

}  // namespace monitor::agent
