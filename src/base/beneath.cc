#include "base/beneath.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <vector>

#include "base/text.h"

namespace monitor {

namespace {

constexpr int kMostLinks = 40;  // the kernel's MAXSYMLINKS
constexpr int kKernelTries = 8;

// A descriptor, or minus errno.
int open_by_kernel(int root, const char* path, int flags, mode_t mode) {
  open_how how{};
  how.flags = static_cast<uint64_t>(flags);
  how.mode = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE ? mode : 0;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  for (int i = 0; i < kKernelTries; ++i) {
    const long fd = syscall(SYS_openat2, root, path, &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    // After a concurrent rename the kernel cannot decide about a ".." and returns an error.
    if (errno != EAGAIN && errno != EINTR) break;
  }
  return -errno;
}

// Walks a path as the kernel does with RESOLVE_BENEATH. Keeps all folders from the root to the current one open, so
// that ".." returns to the actual parent, even after a rename.
class Walk {
 public:
  Walk(int root, int flags, mode_t mode) : root_(root), flags_(flags), mode_(mode) {}

  int open(const std::string& path) {
    if (path.empty()) return -ENOENT;
    if (const int error = push(path); error != 0) return error;
    while (!rest_.empty()) {
      const std::string segment = std::move(rest_.back());
      rest_.pop_back();
      const int result = step(segment);
      if (result != kGoOn) return result;
    }
    return reopen();
  }

 private:
  static constexpr int kGoOn = -1000000;

  int at() const { return folders_.empty() ? root_ : folders_.back().get(); }

  // The path ends in a folder: "a/..", "a/".
  int reopen() {
    const int fd = openat(at(), ".", (flags_ & ~(O_CREAT | O_EXCL)) | O_CLOEXEC);
    return fd >= 0 ? fd : -errno;
  }

  // Pushes the link's segments; the last one is at the bottom of the stack.
  int push(const std::string& path) {
    if (path.starts_with('/')) return -EXDEV;
    const auto segments = split(path, '/');
    for (auto one = segments.rbegin(); one != segments.rend(); ++one) {
      if (!one->empty() && *one != ".") rest_.emplace_back(*one);
    }
    return 0;
  }

  int step(const std::string& segment) {
    if (segment == "..") {
      if (folders_.empty()) return -EXDEV;
      folders_.pop_back();
      return kGoOn;
    }
    const bool last = rest_.empty();
    const int flags = last ? flags_ : O_PATH | O_DIRECTORY | O_CLOEXEC;
    const int fd = openat(at(), segment.c_str(), flags | O_NOFOLLOW, mode_);
    if (fd >= 0 && last) return fd;
    if (fd >= 0) {
      folders_.emplace_back(fd);
      return kGoOn;
    }
    const int error = errno;
    if (error != ELOOP && error != ENOTDIR) return -error;
    const auto target = link_at(segment);
    if (!target) return -error;
    if (last && (flags_ & O_NOFOLLOW) != 0) return -ELOOP;
    if (++links_ > kMostLinks) return -ELOOP;
    const int pushed = push(*target);
    return pushed == 0 ? kGoOn : pushed;
  }

  std::optional<std::string> link_at(const std::string& segment) const {
    std::array<char, PATH_MAX> target{};
    const ssize_t n = readlinkat(at(), segment.c_str(), target.data(), target.size() - 1);
    if (n <= 0) return std::nullopt;
    return std::string(target.data(), static_cast<size_t>(n));
  }

  const int root_;
  const int flags_;
  const mode_t mode_;
  std::vector<Fd> folders_;
  std::vector<std::string> rest_;
  int links_ = 0;
};

Error refusal(int error, const std::string& root_path, const std::string& path) {
  const std::string what = fmt::format("opening {}/{}", root_path, path);
  if (error == EXDEV) {
    return Error(
        Code::kPermissionDenied,
        fmt::format("{}: the path leads outside of {}, by a symbolic link or ..; put the file itself there, or "
                    "link to it by a relative path that stays below",
                    what, root_path));
  }
  if (error == ELOOP) {
    return Error(
        Code::kFailedPrecondition,
        what + ": a symbolic link where none is allowed, or too many; remove it, or put the file itself there");
  }
  return errno_error(error, what);
}

}  // namespace

Result<Fd> open_folder(const std::string& path) {
  Fd fd(open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return errno_error(errno, "opening the folder " + path);
  return fd;
}

Result<Fd> open_beneath(int root, const std::string& root_path, const std::string& path, int flags, mode_t mode,
                        Resolver resolver) {
  if (path.find('\0') != std::string::npos) {
    return Error(Code::kInvalidArgument, fmt::format("opening {}/{}: a NUL in a path", root_path, json_quote(path)));
  }
  int fd = resolver == Resolver::kKernel ? open_by_kernel(root, path.c_str(), flags | O_CLOEXEC, mode) : -ENOSYS;
  // ENOSYS: Linux before 5.6. EPERM: an older seccomp filter (container runtimes). EAGAIN: the tree keeps changing. The
  // walk either succeeds or returns the error that the caller should see.
  if (fd == -ENOSYS || fd == -EPERM || fd == -EAGAIN) fd = Walk(root, flags | O_CLOEXEC, mode).open(path);
  if (fd < 0) return refusal(-fd, root_path, path);
  return Fd(fd);
}

Result<Fd> make_folder_beneath(int root, const std::string& root_path, const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash);
  const std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (path == "." || path.empty()) return open_beneath(root, root_path, ".", O_PATH | O_DIRECTORY);
  auto found = open_beneath(root, root_path, path, O_PATH | O_DIRECTORY);
  if (found || found.error().code() != Code::kNotFound) return found;
  const auto above = make_folder_beneath(root, root_path, parent);
  if (!above) return above.error();
  if (mkdirat(above->get(), name.c_str(), 0700) != 0 && errno != EEXIST) {
    return errno_error(errno, fmt::format("creating the folder {}/{}", root_path, path));
  }
  return open_beneath(root, root_path, path, O_PATH | O_DIRECTORY);
}

}  // namespace monitor
