// What the kernel says of one mount: statfs(2), and whether the answer is of the mount that was asked for.
//
// probe_mount() may block for as long as the filesystem hangs: it runs on MountProber's threads only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "inputs/proc/mountinfo.h"

namespace monitor::agent {

// In blocks, as statfs(2) has them.
struct MountFacts {
  uint64_t block_bytes = 0;
  uint64_t blocks = 0;
  uint64_t blocks_free = 0;
  uint64_t blocks_available = 0;  // to an unprivileged process
  uint64_t files = 0;             // 0: the filesystem does not count them
  uint64_t files_free = 0;
  uint64_t fsid = 0;
  bool directory = true;  // else the mount is of a single file
  // major:minor of the source, where that is a block device.
  std::string source_device = {};
};

// In bytes and inodes, as df(1) counts them: used = total - free; its share is of used + available.
struct FilesystemUsage {
  uint64_t used = 0;
  uint64_t available = 0;
  uint64_t total = 0;
  uint64_t inodes_used = 0;
  uint64_t inodes_free = 0;

  bool operator==(const FilesystemUsage&) const = default;
};

// Nothing for a filesystem without blocks (df leaves it out, too). Sizes saturate at 2^63 - 1.
std::optional<FilesystemUsage> usage_of(const MountFacts& facts);

// kNotFound, kPermissionDenied: the agent cannot see this mount. kDataLoss: figures that cannot be. Others: the
// filesystem failed.
Result<MountFacts> probe_mount(const Mount& mount, const MountOrigin& origin);
// Whether a filesystem failed, or the agent cannot see it.
bool is_unseen(const Error& error);

// An O_PATH descriptor of an absolute path below a folder. No symlink is followed below it, so nothing outside can be
// reached. Paths may be longer than PATH_MAX.
Result<Fd> open_below(const std::string& folder, const std::string& path);

}  // namespace monitor::agent
