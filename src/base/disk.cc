#include "base/disk.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

namespace monitor {

namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Status write_all(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t n = write(fd, content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return errno_error(n < 0 ? errno : EIO, "writing " + path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status sync_folder(const std::string& folder) {
  const Fd fd(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) return errno_error(errno, "syncing the folder " + folder);
  return {};
}

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Result<std::string> PosixDisk::read_file(const std::string& path, size_t max_bytes) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return errno_error(errno, "opening " + path);
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) return errno_error(errno, "reading " + path);
  if (S_ISDIR(info.st_mode)) return errno_error(EISDIR, "reading " + path);
  const auto too_large = [&](size_t size) {
    return Error(Code::kResourceExhausted,
                 fmt::format("reading {}: it has {} bytes, the limit is {}", path, size, max_bytes));
  };
  if (static_cast<size_t>(info.st_size) > max_bytes) return too_large(static_cast<size_t>(info.st_size));
  std::string content;
  constexpr size_t kChunk = size_t{64} * 1024;
  while (true) {
    const size_t before = content.size();
    content.resize(before + kChunk);
    const ssize_t n = read(fd.get(), content.data() + before, kChunk);
    if (n < 0 && errno != EINTR) return errno_error(errno, "reading " + path);
    content.resize(before + static_cast<size_t>(n > 0 ? n : 0));
    if (content.size() > max_bytes) return too_large(content.size());
    if (n == 0) return content;
  }
}

Status PosixDisk::write_file(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  const Fd fd(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return errno_error(errno, "creating a file beside " + path);
  const auto give_up = [&](Error error) -> Status {
    unlink(temporary.c_str());
    return error;
  };
  if (auto s = write_all(fd.get(), content, path); !s) return give_up(s.error());
  if (fchmod(fd.get(), 0644) != 0) return give_up(errno_error(errno, "setting the mode of " + path));
  if (fsync(fd.get()) != 0) return give_up(errno_error(errno, "syncing " + path));
  if (rename(temporary.c_str(), path.c_str()) != 0) return give_up(errno_error(errno, "renaming to " + path));
  return sync_folder(folder_of(path));
}

Status PosixDisk::make_folder(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return errno_error(ENOTDIR, "creating the folder " + path);
  }
  const std::string parent = folder_of(path);
  if (parent != path) {
    if (auto s = make_folder(parent); !s) return s;
  }
  if (mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return errno_error(errno, "creating the folder " + path);
  return {};
}

Status PosixDisk::remove_file(const std::string& path) {
  if (unlink(path.c_str()) != 0 && errno != ENOENT) return errno_error(errno, "removing " + path);
  return {};
}

}  // namespace monitor
