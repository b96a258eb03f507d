#include "inputs/proc/mount_kind.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace monitor::agent {

namespace {

// Filesystems whose superblock has no block device: those on several devices, and those on raw flash.
constexpr std::array<std::string_view, 6> kAnonymousDiskTypes = {"btrfs", "zfs", "bcachefs", "ubifs", "nilfs2", "apfs"};
constexpr std::array<std::string_view, 13> kNetworkTypes = {"nfs",  "nfs4",  "cifs",      "smb3",   "smbfs",
                                                            "ceph", "afs",   "glusterfs", "lustre", "beegfs",
                                                            "gpfs", "ncpfs", "orangefs"};
constexpr std::array<std::string_view, 6> kShareTypes = {"9p", "virtiofs", "vboxsf", "prl_fs", "drvfs", "fuse"};
constexpr std::array<std::string_view, 6> kImageTypes = {"squashfs", "iso9660", "erofs", "cramfs", "romfs", "axfs"};
constexpr std::array<std::string_view, 3> kMemoryTypes = {"tmpfs", "ramfs", "rootfs"};
constexpr std::array<std::string_view, 4> kLayerTypes = {"overlay", "aufs", "unionfs", "ecryptfs"};
// Filesystems on a block device that a daemon or a cluster serves.
constexpr std::array<std::string_view, 3> kRemoteDiskTypes = {"fuseblk", "ocfs2", "gfs2"};
constexpr std::string_view kOpticalMajor = "11:";

template <size_t N>
bool is_one_of(const std::array<std::string_view, N>& types, std::string_view type) {
  return std::ranges::find(types, type) != types.end();
}

bool is_share(const Mount& mount) { return mount.type.starts_with("fuse.") || is_one_of(kShareTypes, mount.type); }

bool has_device(const Mount& mount) { return !mount.device.starts_with("0:"); }

// Normalizes server:/export and //SERVER/share, so that each volume has a single form.
std::string volume_of(const Mount& mount) {
  std::string source = mount.source;
  std::ranges::replace(source, '\\', '/');
  while (source.size() > 1 && source.ends_with('/') && !source.ends_with(":/")) source.pop_back();
  const bool smb = mount.type == "cifs" || mount.type == "smb3" || mount.type == "smbfs";
  if (smb) std::ranges::transform(source, source.begin(), [](unsigned char c) { return std::tolower(c); });
  return source;
}

// A snapshot shares the bytes of its dataset.
bool is_snapshot(const Mount& mount) { return mount.type == "zfs" && mount.source.find('@') != std::string::npos; }

bool is_below(std::string_view path, std::string_view folder) {
  if (folder == "/") return path.starts_with('/');
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

bool answers_from_afar(const Mount& mount) {
  return is_share(mount) || is_one_of(kNetworkTypes, mount.type) || is_one_of(kRemoteDiskTypes, mount.type);
}

}  // namespace

MountKind kind_of(const Mount& mount) {
  if (is_one_of(kImageTypes, mount.type)) return MountKind::kImage;
  if (mount.type == "udf" && mount.device.starts_with(kOpticalMajor)) return MountKind::kImage;
  if (is_one_of(kMemoryTypes, mount.type)) return MountKind::kMemory;
  if (is_one_of(kNetworkTypes, mount.type)) return MountKind::kNetwork;
  // The root of a machine or container counts whatever its type, because no other mount says how full it is.
  if (mount.mount_point == "/") return MountKind::kDisk;
  if (has_device(mount)) return MountKind::kDisk;
  if (lies_on_another(mount)) return MountKind::kLayers;
  if (is_share(mount)) return MountKind::kShare;
  return is_one_of(kAnonymousDiskTypes, mount.type) ? MountKind::kDisk : MountKind::kKernel;
}

bool is_listed(MountKind kind) { return is_counted(kind) || kind == MountKind::kShare; }

bool is_counted(MountKind kind) { return kind == MountKind::kDisk || kind == MountKind::kNetwork; }

std::vector<std::string> remote_points(const std::vector<Mount>& mounts) {
  std::vector<std::string> points;
  for (const Mount& mount : mounts) {
    if (answers_from_afar(mount)) points.push_back(mount.mount_point);
  }
  return points;
}

bool is_remote(const Mount& mount, const std::vector<std::string>& remote_points) {
  return std::ranges::any_of(remote_points, [&](const std::string& at) { return is_below(mount.mount_point, at); });
}

bool lies_on_another(const Mount& mount) {
  return is_one_of(kLayerTypes, mount.type) || mount.type == "fuse.fuse-overlayfs" || is_snapshot(mount);
}

bool claims_device(const Mount& mount) {
  if (!is_share(mount) || !mount.source.starts_with("/dev/") || mount.source == "/dev/fuse") return false;
  return ("," + mount.super_options + ",").find(",user_id=0,") != std::string::npos;
}

std::vector<std::string> byte_keys(const Mount& mount) {
  if (mount.type == "zfs") return {"zfs " + mount.source};
  std::vector<std::string> keys = {mount.device};
  if (is_one_of(kNetworkTypes, mount.type) && !mount.source.empty()) keys.push_back("volume " + volume_of(mount));
  return keys;
}

std::string_view zfs_pool(const Mount& mount) {
  if (mount.type != "zfs") return {};
  return std::string_view(mount.source).substr(0, mount.source.find_first_of("/@"));
}

std::string_view upper_folder(const Mount& mount) {
  constexpr std::string_view kKey = "upperdir=";
  std::string_view options = mount.super_options;
  while (!options.empty()) {
    const std::string_view option = options.substr(0, options.find(','));
    if (option.starts_with(kKey)) return option.substr(kKey.size());
    options.remove_prefix(std::min(options.size(), option.size() + 1));
  }
  return {};
}

const Mount* mount_of(std::string_view path, const std::vector<Mount>& mounts) {
  const Mount* longest = nullptr;
  for (const Mount& mount : mounts) {
    if (!is_below(path, mount.mount_point)) continue;
    if (longest == nullptr || mount.mount_point.size() >= longest->mount_point.size()) longest = &mount;
  }
  return longest;
}

}  // namespace monitor::agent
