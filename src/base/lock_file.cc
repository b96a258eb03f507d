#include "base/lock_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "base/text.h"

namespace monitor {

Result<LockFile> LockFile::acquire(const std::string& path, const std::string& purpose) {
  Fd fd(open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!fd.valid()) return errno_error(errno, "opening the lock file " + path);
  if (flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return errno_error(errno, "locking " + path);
    std::array<char, 256> holder{};
    const ssize_t n = pread(fd.get(), holder.data(), holder.size(), 0);
    const std::string_view text(holder.data(), static_cast<size_t>(n > 0 ? n : 0));
    return Error(Code::kAborted, fmt::format("{} is in use by {} (lock file {})", purpose,
                                             n > 0 ? sanitize_utf8(trim(text)) : "another process", path));
  }
  const std::string self = fmt::format("process {}\n", getpid());
  if (ftruncate(fd.get(), 0) != 0 || pwrite(fd.get(), self.data(), self.size(), 0) < 0) {
    return errno_error(errno, "writing " + path);
  }
  return LockFile(std::move(fd));
}

}  // namespace monitor
