// Classifies mounts: whether their bytes are the host's own. The mount table decides (device number, type, source,
// mount point). docs/configuration.md states the rules for users. Pure.
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
// Whether `per_filesystem` reports it without a pattern that names it.
bool is_listed(MountKind kind);
// Whether the sum counts it without a pattern that names it.
bool is_counted(MountKind kind);
// Mount points of mounts that another process or host serves.
std::vector<std::string> remote_points(const std::vector<Mount>& mounts);
// Whether it is such a mount or lies below one. It can hang for longer than a disk.
bool is_remote(const Mount& mount, const std::vector<std::string>& remote_points);

// Whether its figures are those of a filesystem below it.
bool lies_on_another(const Mount& mount);
// Whether it is a share that root mounted and whose source names a device. Other users can name any source.
bool claims_device(const Mount& mount);
// Two mounts with a common key have the same bytes. A server's volume has two keys: device and source.
std::vector<std::string> byte_keys(const Mount& mount);
// The pool that a ZFS dataset shares with others; empty for other types.
std::string_view zfs_pool(const Mount& mount);
// The folder that an overlay writes to. Empty if the table does not name it.
std::string_view upper_folder(const Mount& mount);
// The mount that contains a path; null: none.
const Mount* mount_of(std::string_view path, const std::vector<Mount>& mounts);

}  // namespace monitor::agent
