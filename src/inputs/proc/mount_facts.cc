#include "inputs/proc/mount_facts.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

#include "base/text.h"

namespace monitor::agent {

namespace {

constexpr uint64_t kMostBytes = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());

uint64_t times(uint64_t blocks, uint64_t bytes) {
  if (bytes != 0 && blocks > kMostBytes / bytes) return kMostBytes;
  return blocks * bytes;
}

Error failure(int error, const std::string& what) {
  const bool unreachable = error == ELOOP || error == ENOTDIR || error == EACCES || error == EPERM;
  if (unreachable) return Error(Code::kPermissionDenied, errno_error(error, what).message());
  return errno_error(error, what);
}

// Opens one path component after the other: for kernels (and sandboxes) without openat2, and for paths above PATH_MAX.
Result<Fd> walk_below(Fd at, const std::string& path) {
  for (const std::string_view part : split(path, '/')) {
    if (part.empty()) continue;
    if (part == "..") return failure(EXDEV, "opening " + path);  // could lead out of the folder
    Fd next(openat(at.get(), std::string(part).c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!next.valid()) return failure(errno, "opening " + path);
    at = std::move(next);
  }
  struct stat info{};
  if (fstat(at.get(), &info) == 0 && S_ISLNK(info.st_mode)) return failure(ELOOP, "opening " + path);
  return at;
}

// The id of the mount that a descriptor refers to; nothing if the kernel does not report it.
std::optional<uint64_t> mount_id_of(int fd, const struct statx& info) {
  if ((info.stx_mask & STATX_MNT_ID) != 0) return info.stx_mnt_id;
  const Fd file(open(fmt::format("/proc/self/fdinfo/{}", fd).c_str(), O_RDONLY | O_CLOEXEC));
  std::string text(1024, '\0');
  const ssize_t size = file.valid() ? read(file.get(), text.data(), text.size()) : -1;
  if (size <= 0) return std::nullopt;
  constexpr std::string_view kKey = "mnt_id:";
  const size_t key = text.find(kKey);
  if (key == std::string::npos) return std::nullopt;
  const std::string_view rest = std::string_view(text).substr(key + kKey.size());
  return parse_u64(trim(rest.substr(0, rest.find('\n'))));
}

bool is_the_mount(int fd, const Mount& mount, const MountOrigin& origin, const struct statx& info, int64_t type) {
  if (origin.check == MountOrigin::Check::kNone) return true;
  if (origin.check == MountOrigin::Check::kMountId) {
    const auto id = mount_id_of(fd, info);
    if (id) return *id == mount.id;
  }
  // Each btrfs subvolume has its own device number, so the filesystem type is compared instead.
  if (mount.type == "btrfs") return type == BTRFS_SUPER_MAGIC;
  return fmt::format("{}:{}", info.stx_dev_major, info.stx_dev_minor) == mount.device;
}

std::string block_device(const Mount& mount, const MountOrigin& origin) {
  if (!mount.source.starts_with("/dev/")) return "";
  struct stat info{};
  // /dev/mapper/NAME is a symlink. No filesystem below /dev can hang, so an ordinary stat is safe.
  const std::string path = origin.rootfs == "/" ? mount.source : origin.rootfs + mount.source;
  if (stat(path.c_str(), &info) != 0 || !S_ISBLK(info.st_mode)) return "";
  return fmt::format("{}:{}", major(info.st_rdev), minor(info.st_rdev));
}

// Before Linux 3.12, fstatfs() does not accept an O_PATH descriptor.
int statfs_of(int fd, struct statfs& info) {
  if (fstatfs(fd, &info) == 0) return 0;
  if (errno != EBADF) return errno;
  return statfs(fmt::format("/proc/self/fd/{}", fd).c_str(), &info) == 0 ? 0 : errno;
}

}  // namespace

std::optional<FilesystemUsage> usage_of(const MountFacts& facts) {
  if (facts.blocks == 0) return std::nullopt;
  FilesystemUsage usage;
  usage.used = times(facts.blocks - std::min(facts.blocks_free, facts.blocks), facts.block_bytes);
  usage.available = times(facts.blocks_available, facts.block_bytes);
  usage.total = times(facts.blocks, facts.block_bytes);
  if (facts.files == 0) return usage;
  usage.inodes_used = std::min(facts.files - std::min(facts.files_free, facts.files), kMostBytes);
  usage.inodes_free = std::min(facts.files_free, kMostBytes);
  return usage;
}

bool is_unseen(const Error& error) {
  return error.code() == Code::kNotFound || error.code() == Code::kPermissionDenied;
}

Result<Fd> open_below(const std::string& folder, const std::string& path) {
  Fd at(open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!at.valid()) return failure(errno, "opening " + folder);
  const std::string below = path.substr(std::min(path.find_first_not_of('/'), path.size()));
  if (below.empty()) return at;
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS;
  Fd fd(static_cast<int>(syscall(SYS_openat2, at.get(), below.c_str(), &how, sizeof how)));
  if (fd.valid()) return fd;
  if (errno == ENOSYS || errno == EPERM || errno == ENAMETOOLONG || errno == EAGAIN) {
    return walk_below(std::move(at), below);
  }
  return failure(errno, "opening " + path);
}

Result<MountFacts> probe_mount(const Mount& mount, const MountOrigin& origin) {
  auto fd = open_below(origin.rootfs, mount.mount_point);
  if (!fd) return fd.error();
  struct statx about{};
  if (statx(fd->get(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_MNT_ID, &about) != 0) {
    return failure(errno, "stat " + mount.mount_point);
  }
  struct statfs info{};
  if (const int error = statfs_of(fd->get(), info); error != 0) return failure(error, "statfs " + mount.mount_point);
  if (!is_the_mount(fd->get(), mount, origin, about, info.f_type)) {
    return Error(Code::kNotFound, mount.mount_point + " below " + origin.rootfs +
                                      " is a different mount than the one of " + mount.source);
  }
  MountFacts facts;
  facts.block_bytes = static_cast<uint64_t>(info.f_frsize != 0 ? info.f_frsize : info.f_bsize);
  facts.blocks = info.f_blocks;
  facts.blocks_free = info.f_bfree;
  // If reserved blocks are in use, the kernel reports a negative number; then none is available.
  facts.blocks_available = info.f_bavail > std::numeric_limits<uint64_t>::max() / 2 ? 0 : info.f_bavail;
  facts.files = info.f_files;
  facts.files_free = std::min(info.f_ffree, info.f_files);
  facts.fsid = (static_cast<uint64_t>(static_cast<uint32_t>(info.f_fsid.__val[0])) << 32) |
               static_cast<uint32_t>(info.f_fsid.__val[1]);
  facts.directory = S_ISDIR(about.stx_mode);
  facts.source_device = block_device(mount, origin);
  if (facts.blocks_free > facts.blocks || facts.blocks_available > facts.blocks) {
    return Error(Code::kDataLoss, fmt::format("{} claims {} free and {} available blocks of {}", mount.mount_point,
                                              facts.blocks_free, facts.blocks_available, facts.blocks));
  }
  return facts;
}

}  // namespace monitor::agent
