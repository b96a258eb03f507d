// Room and speed of a folder's disk.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/clock.h"
#include "base/disk.h"
#include "doctor/real/real_host.h"

namespace monitor::doctor {

namespace {

constexpr size_t kWriteBytes = size_t{16} * 1024;
constexpr size_t kMostWrites = 64;
constexpr int64_t kMostTime = 2 * kNanosPerSecond;

// From linux/magic.h and statfs(2).
std::string type_name(uint64_t magic) {
  switch (magic) {
    case 0xEF53:
      return "ext4";
    case 0x58465342:
      return "xfs";
    case 0x9123683E:
      return "btrfs";
    case 0x01021994:
      return "tmpfs";
    case 0x858458F6:
      return "ramfs";
    case 0x794C7630:
      return "overlayfs";
    case 0x6969:
      return "nfs";
    case 0x2FC12FC1:
      return "zfs";
    case 0xF2F52010:
      return "f2fs";
    default:
      return "";
  }
}

// A file without a name, so that nothing is left behind even if this process is killed. Where the file system has no
// such files, one with a name that is removed at once.
Result<Fd> nameless_file(const std::string& folder) {
  Fd fd(open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (fd.valid()) return fd;
  if (errno != EOPNOTSUPP && errno != EISDIR) return errno_error(errno, "creating a file in " + folder);
  const std::string path = fmt::format("{}/.monitor-doctor-{}", folder, getpid());
  fd = Fd(open(path.c_str(), O_CREAT | O_EXCL | O_NOFOLLOW | O_RDWR | O_CLOEXEC, 0600));
  if (!fd.valid()) return errno_error(errno, "creating " + path);
  unlink(path.c_str());
  return fd;
}

}  // namespace

Result<DiskRoom> RealHost::room(const std::string& folder) {
  struct statfs info{};
  if (statfs(folder.c_str(), &info) != 0) return errno_error(errno, "looking at " + folder);
  const auto block = static_cast<uint64_t>(info.f_bsize);
  return DiskRoom{.free_bytes = info.f_bavail * block,
                  .total_bytes = info.f_blocks * block,
                  .free_inodes = info.f_ffree,
                  .total_inodes = info.f_files,
                  .type = type_name(static_cast<uint64_t>(info.f_type)),
                  .read_only = (static_cast<uint64_t>(info.f_flags) & ST_RDONLY) != 0};
}

Result<DiskSpeed> RealHost::speed(const std::string& folder) {
  const SystemClock clock;
  const auto file = nameless_file(folder);
  if (!file) return file.error();
  const std::string block(kWriteBytes, 'x');
  std::vector<int64_t> times;
  const int64_t end = clock.mono_ns() + kMostTime;
  while (times.size() < kMostWrites && (times.empty() || clock.mono_ns() < end)) {
    const int64_t begin = clock.mono_ns();
    const ssize_t written =
        pwrite(file->get(), block.data(), block.size(), static_cast<off_t>(times.size() * kWriteBytes));
    if (written < 0) return errno_error(errno, "writing in " + folder);
    if (static_cast<size_t>(written) != block.size()) return errno_error(ENOSPC, "writing in " + folder);
    if (fdatasync(file->get()) != 0) return errno_error(errno, "syncing in " + folder);
    times.push_back(clock.mono_ns() - begin);
  }
  std::ranges::sort(times);
  return DiskSpeed{.writes = static_cast<int>(times.size()),
                   .write_bytes = kWriteBytes,
                   .median_ns = times[times.size() / 2],
                   .worst_ns = times.back()};
}

}  // namespace monitor::doctor
