#include "base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/lock_file.h"
#include "base/random.h"

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

class PosixFile final : public DiskFile {
 public:
  PosixFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}

  Result<size_t> read_at(uint64_t offset, char* into, size_t size) override {
    size_t done = 0;
    while (done < size) {
      const ssize_t n = pread(fd_.get(), into + done, size - done, static_cast<off_t>(offset + done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error(errno, "reading " + path_);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    return done;
  }
  Result<size_t> write_at(uint64_t offset, std::string_view bytes) override {
    while (true) {
      const ssize_t n = pwrite(fd_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return errno_error(errno, "writing " + path_);
      return static_cast<size_t>(n);
    }
  }
  Status truncate(uint64_t size) override {
    if (ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return errno_error(errno, "truncating " + path_);
    return {};
  }
  Result<uint64_t> size() override {
    struct stat info{};
    if (fstat(fd_.get(), &info) != 0) return errno_error(errno, "reading the size of " + path_);
    return static_cast<uint64_t>(info.st_size);
  }
  Status sync() override {
    if (fdatasync(fd_.get()) != 0) return errno_error(errno, "syncing " + path_);
    return {};
  }

 private:
  std::string path_;
  Fd fd_;
};

class PosixLock final : public DiskLock {
 public:
  explicit PosixLock(LockFile lock) : lock_(std::move(lock)) {}

 private:
  LockFile lock_;
};

int open_flags(FileDisk::Open mode) {
  switch (mode) {
    case FileDisk::Open::kRead:
      return O_RDONLY;
    case FileDisk::Open::kWrite:
      return O_RDWR;
    case FileDisk::Open::kCreate:
      return O_RDWR | O_CREAT | O_EXCL;
  }
  return O_RDONLY;
}

// Gives a file without a name the first one that is free; `name` ends with six letters to be replaced.
Status name_file(int fd, std::string& name) {
  constexpr int kTries = 100;
  const std::string self = fmt::format("/proc/self/fd/{}", fd);
  const std::string stem = name.substr(0, name.size() - 6);
  SystemRandom random;
  for (int i = 0; i < kTries; ++i) {
    name = fmt::format("{}{:06x}", stem, random.below(0x1000000));
    if (linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) return {};
    if (errno != EEXIST) break;
  }
  return errno_error(errno, "naming " + name);
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

// Killed on the way, a file without a name leaves nothing behind; where the filesystem has none, it has one.
Status PosixDisk::write_file(const std::string& path, std::string_view content) {
  std::string temporary = path + ".XXXXXX";
  Fd fd(open(folder_of(path).c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  const bool nameless = fd.valid();
  if (!nameless) fd.reset(mkostemp(temporary.data(), O_CLOEXEC));
  if (!fd.valid()) return errno_error(errno, "creating a file beside " + path);
  bool named = !nameless;
  const auto give_up = [&](Error error) -> Status {
    if (named) unlink(temporary.c_str());
    return error;
  };
  if (auto s = write_all(fd.get(), content, path); !s) return give_up(s.error());
  if (fchmod(fd.get(), 0644) != 0) return give_up(errno_error(errno, "setting the mode of " + path));
  if (fsync(fd.get()) != 0) return give_up(errno_error(errno, "syncing " + path));
  if (nameless) {
    if (auto s = name_file(fd.get(), temporary); !s) return give_up(s.error());
    named = true;
  }
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

Result<std::unique_ptr<DiskFile>> PosixDisk::open_file(const std::string& path, Open mode) {
  Fd fd(open(path.c_str(), open_flags(mode) | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.valid()) return errno_error(errno, "opening " + path);
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) return errno_error(errno, "opening " + path);
  if (!S_ISREG(info.st_mode)) return Error(Code::kFailedPrecondition, "opening " + path + ": it is no regular file");
  return std::unique_ptr<DiskFile>(std::make_unique<PosixFile>(path, fd.release()));
}

Result<std::vector<std::string>> PosixDisk::list_folder(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), &closedir);
  if (!folder) return errno_error(errno, "listing " + path);
  std::vector<std::string> names;
  while (true) {
    errno = 0;
    const dirent* const entry = readdir(folder.get());  // NOLINT(concurrency-mt-unsafe): a stream of our own
    if (entry == nullptr) break;
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return errno_error(errno, "listing " + path);
  return names;
}

Status PosixDisk::rename_file(const std::string& from, const std::string& to) {
  if (rename(from.c_str(), to.c_str()) != 0) return errno_error(errno, "renaming " + from + " to " + to);
  return {};
}

Status PosixDisk::sync_folder(const std::string& path) {
  const Fd fd(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid() || fsync(fd.get()) != 0) return errno_error(errno, "syncing the folder " + path);
  return {};
}

Result<std::unique_ptr<DiskLock>> PosixDisk::lock_file(const std::string& path, const std::string& what) {
  auto lock = LockFile::acquire(path, what);
  if (!lock) return lock.error();
  return std::unique_ptr<DiskLock>(std::make_unique<PosixLock>(std::move(*lock)));
}

}  // namespace monitor
