// What a mount is to the host: whether its bytes are the host's own. Decided by the mount table's facts (device number,
// type, source, place); docs/configuration.md has the rules as users read them. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inputs/proc/mountinfo.h"

namespace monitor::agent {

enum class MountKind : uint8_t {
  kDisk,     // keeps its bytes on a device of this host, or is the root of a machine or container
  kNetwork,  // a server's volume
  kShare,    // passes on somebody else's directories (fuse.*, 9p, virtiofs): its figures are claims
  kMemory,   // tmpfs
  kLayers,   // overlay: its figures are those of the filesystem below
  kImage,    // read-only by its format, always full
  kKernel,   // proc, cgroup, ...
};

MountKind kind_of(const Mount& mount);
// Has a series of its own under `per_filesystem`, though no pattern names it.
bool is_listed(MountKind kind);
// Its bytes are in the sum, though no pattern names it.
bool is_counted(MountKind kind);
// Where mounts are that another process or host answers for.
std::vector<std::string> remote_points(const std::vector<Mount>& mounts);
// Such a mount, or one reached through it: it can hang for longer than a disk.
bool is_remote(const Mount& mount, const std::vector<std::string>& remote_points);

// Its figures are those of another filesystem that it lies on.
bool lies_on_another(const Mount& mount);
// A share whose source names a device, mounted by root: whoever mounts FUSE may name any source.
bool claims_device(const Mount& mount);
// Two mounts with one key keep the same bytes. Of volumes of a server there are two: device and source.
std::vector<std::string> byte_keys(const Mount& mount);
// The pool that a ZFS dataset shares with others; empty for other types.
std::string_view zfs_pool(const Mount& mount);
// Where an overlay writes; empty where the table does not say.
std::string_view upper_folder(const Mount& mount);
// The mount that a path is on; null when none is.
const Mount* mount_of(std::string_view path, const std::vector<Mount>& mounts);

}  // namespace monitor::agent
