// Space and inodes of mounted filesystems: the mount table (mountinfo.h) and statfs(2).
//
// Labels and values belong to the same reading: every tick checks the table, and uses an answer only if it comes from
// the mount that the table names. filesystem_sum.h defines the sum. A query never blocks the loop beyond a deadline
// (mount_prober.h).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/filesystem_sum.h"
#include "inputs/proc/mount_prober.h"
#include "inputs/proc/mountinfo.h"
#include "inputs/proc/roots.h"

namespace monitor::agent {

class FilesystemCollector final : public Collector {
 public:
  static constexpr int64_t kMostDeadline = 100 * kNanosPerMilli;

  // All collectors share the prober, so that each knows the hung mounts.
  FilesystemCollector(const Roots& roots, std::shared_ptr<MountProber> prober);
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  void forget_series() override;
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  struct Ids {
    metrics::SeriesId usage = kNoSeries;
    metrics::SeriesId utilization = kNoSeries;
    metrics::SeriesId inodes_usage = kNoSeries;
    metrics::SeriesId inodes_utilization = kNoSeries;
  };
  // Mounts of the same bytes; the first one is reported. With patterns, each group has a single mount.
  struct Candidate {
    MeasuredMount measured;
    bool remote = false;
    metrics::Labels labels;
  };
  using Group = std::vector<Candidate>;

  void choose();
  void choose_by_bytes();
  void choose_by_name();
  void describe();
  bool ask(int64_t deadline_ns);
  int64_t deadline(const Timestamp& now);
  void add_each(TickBuilder& out);
  void add_sum(TickBuilder& out);
  void log_faults();
  Ids intern(const metrics::Labels& labels, TickBuilder& out) const;
  static void add(const FilesystemUsage& usage, const Ids& ids, TickBuilder& out);

  MountTable table_;
  std::shared_ptr<MountProber> prober_;
  bool wanted_ = false;
  bool each_ = false;
  bool chosen_ = false;
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  int64_t last_mono_ns_ = 0;
  std::vector<Group> groups_;
  std::vector<MeasuredMount> measured_;        // in this tick: the first mount of every group
  std::map<std::string, std::string> faults_;  // mount point -> error; logged once
  std::optional<Ids> sum_ids_;
  std::map<metrics::Labels, Ids> ids_;  // of existing mounts
};

}  // namespace monitor::agent
