// What the kernel says about one mount: statfs(2), and whether the answer comes from the intended mount.
//
// probe_mount() may block for as long as the filesystem hangs, so it only runs on MountProber's threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "inputs/proc/mountinfo.h"

namespace monitor::agent {

// Sizes in blocks, as in statfs(2).
struct MountFacts {
  uint64_t block_bytes = 0;
  uint64_t blocks = 0;
  uint64_t blocks_free = 0;
  uint64_t blocks_available = 0;  // to an unprivileged process
  uint64_t files = 0;             // 0: the filesystem does not count inodes
  uint64_t files_free = 0;
  uint64_t fsid = 0;
  bool directory = true;  // false: the mount is of a single file
  // major:minor of the source, if that is a block device.
  std::string source_device = {};
};

// In bytes and inodes, computed as df(1) does: used = total - free, and the share is used / (used + available).
struct FilesystemUsage {
  uint64_t used = 0;
  uint64_t available = 0;
  uint64_t total = 0;
  uint64_t inodes_used = 0;
  uint64_t inodes_free = 0;

  bool operator==(const FilesystemUsage&) const = default;
};

// Nothing for a filesystem without blocks, which df omits as well. Sizes saturate at 2^63 - 1.
std::optional<FilesystemUsage> usage_of(const MountFacts& facts);

// kNotFound, kPermissionDenied: the agent cannot see this mount. kDataLoss: the figures are impossible. Other errors:
// the filesystem failed.
Result<MountFacts> probe_mount(const Mount& mount, const MountOrigin& origin);
// True if the agent cannot see the mount; false if the filesystem failed.
bool is_unseen(const Error& error);

// Returns an O_PATH descriptor of an absolute path below a folder. Follows no symlink below it, so nothing outside can
// be reached. Paths may be longer than PATH_MAX.
Result<Fd> open_below(const std::string& folder, const std::string& path);

}  // namespace monitor::agent
