#include "base/replace_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/disk.h"
#include "base/random.h"

namespace monitor {

namespace {

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return errno_error(n < 0 ? errno : EIO, "writing " + path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

// Links an unnamed file to the first free name in the folder that starts with `stem`.
Result<std::string> name_file(int folder, int fd, const std::string& stem) {
  constexpr int kTries = 100;
  const std::string self = fmt::format("/proc/self/fd/{}", fd);
  SystemRandom random;
  std::string name;
  for (int i = 0; i < kTries; ++i) {
    name = fmt::format("{}.{:06x}", stem, random.below(0x1000000));
    if (linkat(AT_FDCWD, self.c_str(), folder, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return name;
    if (errno != EEXIST) break;
  }
  return errno_error(errno, "naming " + name);
}

// For filesystems without O_TMPFILE.
Result<std::string> create_named(int folder, const std::string& stem, Fd& fd) {
  constexpr int kTries = 100;
  SystemRandom random;
  std::string name;
  for (int i = 0; i < kTries; ++i) {
    name = fmt::format("{}.{:06x}", stem, random.below(0x1000000));
    fd.reset(openat(folder, name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (fd.valid()) return name;
    if (errno != EEXIST) break;
  }
  return errno_error(errno, "creating " + name);
}

}  // namespace

// If the process is killed, an unnamed file leaves nothing behind; filesystems without O_TMPFILE use a named one.
// `path` is for errors.
Status replace_file(int folder, const std::string& name, std::string_view content, mode_t mode,
                    const std::string& path) {
  Fd fd(openat(folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  std::string temporary;  // empty: unnamed
  if (!fd.valid()) {
    auto made = create_named(folder, name, fd);
    if (!made) return made.error().with_context("creating a file beside " + path);
    temporary = std::move(*made);
  }
  const auto give_up = [&](Error error) -> Status {
    if (!temporary.empty()) unlinkat(folder, temporary.c_str(), 0);
    return error;
  };
  if (auto s = write_all(fd.get(), content, path); !s) return give_up(s.error());
  if (fchmod(fd.get(), mode) != 0) return give_up(errno_error(errno, "setting the mode of " + path));
  if (fsync(fd.get()) != 0) return give_up(errno_error(errno, "syncing " + path));
  if (temporary.empty()) {
    auto named = name_file(folder, fd.get(), name);
    if (!named) return give_up(named.error());
    temporary = std::move(*named);
  }
  if (renameat(folder, temporary.c_str(), folder, name.c_str()) != 0) {
    return give_up(errno_error(errno, "renaming to " + path));
  }
  const Fd listing(openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!listing.valid() || fsync(listing.get()) != 0) return errno_error(errno, "syncing the folder of " + path);
  return {};
}

}  // namespace monitor
