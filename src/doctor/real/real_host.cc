#include "doctor/real/real_host.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <cerrno>

#include "base/clock.h"
#include "base/disk.h"
#include "base/trust.h"

namespace monitor::doctor {

int64_t RealHost::wall_ns() const { return SystemClock().wall_ns(); }

std::optional<bool> RealHost::clock_synchronized() {
  timex state{};
  const int result = adjtimex(&state);
  if (result < 0) return std::nullopt;
  return result != TIME_ERROR && (state.status & STA_UNSYNC) == 0;
}

uid_t RealHost::user() const { return geteuid(); }

Result<std::string> RealHost::read_file(const std::string& path, size_t max_bytes) {
  return PosixDisk().read_file(path, max_bytes);
}

Result<FileFacts> RealHost::look(const std::string& path) {
  struct stat info{};
  if (lstat(path.c_str(), &info) != 0) return errno_error(errno, "looking at " + path);
  return FileFacts{.owner = info.st_uid,
                   .mode = info.st_mode & 07777,
                   .link = S_ISLNK(info.st_mode),
                   .folder = S_ISDIR(info.st_mode),
                   .regular = S_ISREG(info.st_mode)};
}

Status RealHost::folder_trusted(const std::string& path, const std::string& what) {
  return check_folder_trusted(path, what);
}

}  // namespace monitor::doctor
