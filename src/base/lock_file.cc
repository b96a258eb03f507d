#include "base/lock_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "base/written_file.h"

namespace monitor {

Result<LockFile> LockFile::open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
  if (fd < 0 && errno == ELOOP) {
    return Error(Code::kFailedPrecondition,
                 "opening " + path + ": it is a symbolic link, which is not followed; remove it");
  }
  if (fd < 0) return errno_error(errno, "opening " + path);
  LockFile lock(path, fd);
  struct stat info{};
  if (fstat(fd, &info) != 0) return errno_error(errno, "opening " + path);
  if (Status good = check_written_file(info, "opening " + path, true); !good) return good.error();
  // Anyone who can read the file can lock it.
  if (info.st_uid == geteuid() && (info.st_mode & (S_IRWXG | S_IRWXO)) != 0) (void)fchmod(fd, S_IRUSR | S_IWUSR);
  return lock;
}

Result<LockFile> LockFile::acquire(const std::string& path, const std::string& what) {
  auto lock = open(path);
  if (!lock) return lock.error();
  if (!lock->try_lock("process " + std::to_string(getpid()) + " (" + program_invocation_short_name + ")")) {
    return Error(Code::kAborted, what + " is in use by " + lock->owner() + " (lock file " + path + ")");
  }
  return lock;
}

LockFile::~LockFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool LockFile::try_lock(const std::string& owner) {
  if (flock(fd_, LOCK_EX | LOCK_NB) != 0) return false;
  // The owner's name only improves error messages: on a full disk the lock works without it.
  const std::string text = owner + "\n";
  if (ftruncate(fd_, 0) == 0) [[maybe_unused]]
    const ssize_t n = pwrite(fd_, text.data(), text.size(), 0);
  return true;
}

std::string LockFile::owner() const {
  std::array<char, 256> buffer{};
  const ssize_t size = pread(fd_, buffer.data(), buffer.size(), 0);
  if (size <= 0) return "an unknown process";
  return std::string(trim(std::string_view(buffer.data(), static_cast<size_t>(size))));
}

void LockFile::touch() const { futimens(fd_, nullptr); }

}  // namespace monitor
