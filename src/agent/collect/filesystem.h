// Space and inodes of mounted filesystems: /proc/self/mountinfo (proc_pid_mountinfo(5)) and statvfs(3).
//
// Filesystems that keep data count: those of the kernel itself (proc, tmpfs, cgroup, ...) do not. One that is mounted
// several times counts once. statvfs() of a network filesystem can hang for ever: it runs on a helper thread with a
// deadline, and the tick goes out without those that did not answer.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/collect/collector.h"
#include "agent/collect/kernel_file.h"

namespace monitor::agent {

struct Mount {
  std::string device;  // major:minor
  std::string mount_point;
  std::string type;
  std::string source;
};

// All lines that can be read, octal escapes resolved.
std::vector<Mount> parse_mountinfo(std::string_view text);
// Those that count, each device once (its shortest mount point), in the order of the file.
std::vector<Mount> data_mounts(std::vector<Mount> mounts);
bool is_network_filesystem(std::string_view type);

// In bytes and inodes, as df counts them: "available" is what an unprivileged process may still use.
struct FilesystemUsage {
  uint64_t used = 0;
  uint64_t available = 0;
  uint64_t inodes_used = 0;
  uint64_t inodes_free = 0;
};

using StatFilesystem = std::function<Result<FilesystemUsage>(const std::string& mount_point)>;
Result<FilesystemUsage> statvfs_usage(const std::string& mount_point);

// Runs calls that may hang on threads of its own. A thread that hangs is left behind, and its mount point is not asked
// again until it returns.
class PatientCaller;

class FilesystemCollector final : public Collector {
 public:
  explicit FilesystemCollector(const Roots& roots, StatFilesystem stat = statvfs_usage,
                               int64_t deadline_ns = 100 * kNanosPerMilli);
  ~FilesystemCollector() override;
  std::string_view name() const override { return "filesystem"; }
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return wanted_; }
  Status collect(const Moment& now, TickBuilder& out) override;

 private:
  struct Ids {
    metrics::SeriesId usage = kNoSeries;
    metrics::SeriesId utilization = kNoSeries;
    metrics::SeriesId inodes_usage = kNoSeries;
    metrics::SeriesId inodes_utilization = kNoSeries;
  };

  std::vector<Mount> chosen(std::vector<Mount> all) const;
  std::optional<FilesystemUsage> ask(const Mount& mount);
  Ids intern(const metrics::Labels& labels, TickBuilder& out) const;
  static void add(const FilesystemUsage& usage, const Ids& ids, TickBuilder& out);

  KernelFile file_;
  StatFilesystem stat_;
  std::unique_ptr<PatientCaller> caller_;
  bool wanted_ = false;
  bool each_ = false;
  std::vector<std::string> include_;
  std::vector<std::string> exclude_;
  std::string last_text_;  // mounts change seldom: parsed again only when the text does
  std::vector<Mount> mounts_;
  std::optional<Ids> sum_ids_;
  std::map<std::string, Ids> ids_;
};

}  // namespace monitor::agent
