// Classifies mounts by whether their bytes belong to the host. The mount table decides (device number, type, source,
// mount point). docs/configuration.md states the rules for users. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "inputs/proc/mountinfo.h"

namespace monitor::agent {

enum class MountKind : uint8_t {
  kDisk,     // stores its bytes on a device of this host, or is the root of a machine or container
  kNetwork,  // a volume of a server
  kShare,    // passes on directories of others (fuse.*, 9p, virtiofs), so its figures are only claims
  kMemory,   // tmpfs
  kLayers,   // overlay: it shows the figures of the filesystem below
  kImage,    // a read-only format, always full
  kKernel,   // proc, cgroup, ...
};

MountKind kind_of(const Mount& mount);
// True if `per_filesystem` reports it even if no pattern matches it.
bool is_listed(MountKind kind);
// True if the sum includes it even if no pattern matches it.
bool is_counted(MountKind kind);
// Mount points of the mounts that another process or host serves.
std::vector<std::string> remote_points(const std::vector<Mount>& mounts);
// True if the mount is at one of `remote_points`, or below one. It can hang for longer than a disk does.
bool is_remote(const Mount& mount, const std::vector<std::string>& remote_points);

// True if its figures are those of a filesystem below it.
bool lies_on_another(const Mount& mount);
// True for a share that root mounted and whose source names a device. Other users can name any source.
bool claims_device(const Mount& mount);
// Mounts with a common key have the same bytes. A server's volume has two keys: device and source.
std::vector<std::string> byte_keys(const Mount& mount);
// The pool that a ZFS dataset shares with others; empty for other types.
std::string_view zfs_pool(const Mount& mount);
// The folder that an overlay writes to; empty if the table does not name it.
std::string_view upper_folder(const Mount& mount);
// The mount that contains a path; nullptr if there is none.
const Mount* mount_of(std::string_view path, const std::vector<Mount>& mounts);

}  // namespace monitor::agent
