#include "agent/collect/filesystem.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr std::array<std::string_view, 30> kLocalTypes = {
    "ext2",  "ext3",  "ext4",  "xfs",   "btrfs", "zfs",     "f2fs",  "jfs",      "reiserfs", "nilfs2",
    "vfat",  "exfat", "msdos", "ntfs",  "ntfs3", "fuseblk", "hfs",   "hfsplus",  "ufs",      "bcachefs",
    "ocfs2", "gfs2",  "erofs", "minix", "udf",   "jffs2",   "ubifs", "virtiofs", "ecryptfs", "apfs"};
constexpr std::array<std::string_view, 13> kNetworkTypes = {
    "nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "ceph", "afs", "glusterfs", "lustre", "beegfs", "gpfs", "ncpfs"};

// "\040" and its like.
std::string unescape(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto octal = [&](size_t at) { return at < text.size() && text[at] >= '0' && text[at] <= '7'; };
    if (text[i] == '\\' && octal(i + 1) && octal(i + 2) && octal(i + 3)) {
      out += static_cast<char>((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + (text[i + 3] - '0'));
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool keeps_data(const Mount& mount) {
  if (std::find(kLocalTypes.begin(), kLocalTypes.end(), mount.type) != kLocalTypes.end()) return true;
  if (is_network_filesystem(mount.type)) return true;
  // In a container the root is an overlay: there it is the one that matters.
  return mount.type == "overlay" && mount.mount_point == "/";
}

}  // namespace

std::vector<Mount> parse_mountinfo(std::string_view text) {
  std::vector<Mount> mounts;
  while (!text.empty()) {
    Fields fields(next_line(text));
    fields.skip(2);
    Mount mount;
    mount.device = fields.next();
    fields.skip(1);
    mount.mount_point = unescape(fields.next());
    // Optional fields end with a lone hyphen.
    std::string_view field = fields.next();
    while (!field.empty() && field != "-") field = fields.next();
    mount.type = fields.next();
    mount.source = unescape(fields.next());
    if (!mount.type.empty() && !mount.mount_point.empty()) mounts.push_back(std::move(mount));
  }
  return mounts;
}

std::vector<Mount> data_mounts(std::vector<Mount> mounts) {
  std::erase_if(mounts, [](const Mount& mount) { return !keeps_data(mount); });
  std::map<std::string, std::string> shortest;
  for (const Mount& mount : mounts) {
    auto [it, is_new] = shortest.emplace(mount.device, mount.mount_point);
    if (!is_new && mount.mount_point.size() < it->second.size()) it->second = mount.mount_point;
  }
  // Mounted over one another at the same place: the last one is what is seen.
  std::set<std::string> seen;
  std::vector<Mount> result;
  for (auto mount = mounts.rbegin(); mount != mounts.rend(); ++mount) {
    if (shortest[mount->device] == mount->mount_point && seen.insert(mount->mount_point).second)
      result.push_back(*mount);
  }
  std::reverse(result.begin(), result.end());
  return result;
}

bool is_network_filesystem(std::string_view type) {
  return type.starts_with("fuse.") ||
         std::find(kNetworkTypes.begin(), kNetworkTypes.end(), type) != kNetworkTypes.end();
}

Result<FilesystemUsage> statvfs_usage(const std::string& mount_point) {
  struct statvfs info{};
  if (statvfs(mount_point.c_str(), &info) != 0) return errno_error(errno, "statvfs " + mount_point);
  FilesystemUsage usage;
  const uint64_t block = info.f_frsize;
  usage.used = (info.f_blocks - std::min(info.f_bfree, info.f_blocks)) * block;
  usage.available = info.f_bavail * block;
  usage.inodes_used = info.f_files - std::min(info.f_ffree, info.f_files);
  usage.inodes_free = info.f_ffree;
  return usage;
}

class PatientCaller {
 public:
  PatientCaller(StatFilesystem stat, int64_t deadline_ns) : stat_(std::move(stat)), deadline_ns_(deadline_ns) {}

  // Nothing when it did not answer in time, or has not come back from an earlier call.
  std::optional<FilesystemUsage> call(const std::string& mount_point) {
    const auto hanging = pending_.find(mount_point);
    if (hanging != pending_.end()) {
      const std::lock_guard lock(hanging->second->mutex);
      if (!hanging->second->done) return std::nullopt;
    }
    pending_.erase(mount_point);
    if (pending_.size() >= kMaxHanging) return std::nullopt;
    auto job = std::make_shared<Job>();
    // The thread owns what it touches: it may outlive this object by as long as the filesystem hangs.
    std::thread([job, stat = stat_, mount_point] {
      auto result = stat(mount_point);
      const std::lock_guard lock(job->mutex);
      if (result) job->usage = *result;
      job->done = true;
      job->changed.notify_all();
    }).detach();
    std::unique_lock lock(job->mutex);
    job->changed.wait_for(lock, std::chrono::nanoseconds(deadline_ns_), [&] { return job->done; });
    if (!job->done) pending_.emplace(mount_point, job);
    return job->usage;
  }

 private:
  static constexpr size_t kMaxHanging = 16;
  struct Job {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::optional<FilesystemUsage> usage;
  };

  StatFilesystem stat_;
  int64_t deadline_ns_;
  std::map<std::string, std::shared_ptr<Job>> pending_;
};

FilesystemCollector::FilesystemCollector(const Roots& roots, StatFilesystem stat, int64_t deadline_ns)
    : file_(roots.procfs + "/self/mountinfo"),
      stat_(stat),
      caller_(std::make_unique<PatientCaller>(std::move(stat), deadline_ns)) {}

FilesystemCollector::~FilesystemCollector() = default;

void FilesystemCollector::configure(const std::vector<config::MetricSelection>& selections) {
  wanted_ = false;
  each_ = false;
  for (const auto& selection : selections) {
    if (selection.name != "filesystem") continue;
    wanted_ = true;
    each_ = selection.per_filesystem;
    if (selection.include != include_ || selection.exclude != exclude_) last_text_.clear();
    include_ = selection.include;
    exclude_ = selection.exclude;
  }
}

// Those that count, or of all those that `include` names, without those that `exclude` names.
std::vector<Mount> FilesystemCollector::chosen(std::vector<Mount> all) const {
  std::vector<Mount> mounts;
  if (include_.empty()) {
    mounts = data_mounts(std::move(all));
  } else {
    for (Mount& mount : all) {
      const bool again = std::any_of(mounts.begin(), mounts.end(),
                                     [&](const Mount& one) { return one.mount_point == mount.mount_point; });
      if (!again && matches_any(include_, mount.mount_point)) mounts.push_back(std::move(mount));
    }
  }
  std::erase_if(mounts, [&](const Mount& mount) { return matches_any(exclude_, mount.mount_point); });
  return mounts;
}

std::optional<FilesystemUsage> FilesystemCollector::ask(const Mount& mount) {
  if (is_network_filesystem(mount.type)) return caller_->call(mount.mount_point);
  const auto usage = stat_(mount.mount_point);
  return usage ? std::optional(*usage) : std::nullopt;
}

FilesystemCollector::Ids FilesystemCollector::intern(const metrics::Labels& labels, TickBuilder& out) const {
  metrics::Labels used = labels;
  metrics::set_label(used, "system.filesystem.state", "used");
  Ids ids;
  ids.usage = out.intern(bytes_series("system.filesystem.usage", used));
  ids.utilization = out.intern(share_series("system.filesystem.utilization", labels));
  metrics::Series inodes = bytes_series("system.filesystem.inodes.usage", used);
  inodes.unit = "{inode}";
  ids.inodes_usage = out.intern(inodes);
  ids.inodes_utilization = out.intern(share_series("system.filesystem.inodes.utilization", labels));
  return ids;
}

void FilesystemCollector::add(const FilesystemUsage& usage, const Ids& ids, TickBuilder& out) {
  const auto share = [](uint64_t used, uint64_t free) {
    return used + free == 0 ? 0 : static_cast<double>(used) / static_cast<double>(used + free);
  };
  out.add_integer(ids.usage, static_cast<int64_t>(usage.used));
  out.add_share(ids.utilization, share(usage.used, usage.available));
  out.add_integer(ids.inodes_usage, static_cast<int64_t>(usage.inodes_used));
  out.add_share(ids.inodes_utilization, share(usage.inodes_used, usage.inodes_free));
}

Status FilesystemCollector::collect(const Moment&, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  if (*text != last_text_) {
    last_text_ = *text;
    mounts_ = chosen(parse_mountinfo(last_text_));
  }
  FilesystemUsage sum;
  bool any = false;
  for (const Mount& mount : mounts_) {
    const auto usage = ask(mount);
    if (!usage) continue;
    any = true;
    sum.used += usage->used;
    sum.available += usage->available;
    sum.inodes_used += usage->inodes_used;
    sum.inodes_free += usage->inodes_free;
    if (!each_) continue;
    const auto [ids, is_new] = ids_.try_emplace(mount.mount_point);
    if (is_new) {
      ids->second = intern({{"system.device", sanitize_utf8(mount.source)},
                            {"system.filesystem.mountpoint", sanitize_utf8(mount.mount_point)},
                            {"system.filesystem.type", sanitize_utf8(mount.type)}},
                           out);
    }
    add(*usage, ids->second, out);
  }
  if (!any) return {};
  if (!sum_ids_) sum_ids_ = intern({}, out);
  add(sum, *sum_ids_, out);
  return {};
}

}  // namespace monitor::agent
