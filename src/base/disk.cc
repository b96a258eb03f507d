#include "base/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>

#include "base/beneath.h"
#include "base/lock_file.h"
#include "base/replace_file.h"
#include "base/written_file.h"

namespace monitor {

namespace {

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
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

std::string last_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

void Fd::reset(int fd) {
  if (fd_ >= 0) close(fd_);
  fd_ = fd;
}

Result<std::string> read_to_end(int fd, const std::string& path, size_t max_bytes) {
  struct stat info{};
  if (fstat(fd, &info) != 0) return errno_error(errno, "reading " + path);
  if (S_ISDIR(info.st_mode)) return errno_error(EISDIR, "reading " + path);
  const auto too_large = [&](size_t size) {
    return Error(Code::kResourceExhausted,
                 fmt::format("reading {}: it has {} bytes, the limit is {}", path, size, max_bytes));
  };
  // Rejects large files early. The size is not used further: files of /proc report 0, and a file may grow while it is
  // read.
  if (static_cast<size_t>(info.st_size) > max_bytes) return too_large(static_cast<size_t>(info.st_size));
  std::string content;
  constexpr size_t kChunk = size_t{64} * 1024;
  while (true) {
    const size_t before = content.size();
    content.resize(before + kChunk);
    const ssize_t n = read(fd, content.data() + before, kChunk);
    if (n < 0 && errno != EINTR) return errno_error(errno, "reading " + path);
    content.resize(before + static_cast<size_t>(n > 0 ? n : 0));
    if (content.size() > max_bytes) return too_large(content.size());
    if (n == 0) return content;
  }
}

Result<std::string> Disk::read_beneath(const std::string& folder, const std::string& path, size_t max_bytes) {
  return read_file(folder + "/" + path, max_bytes);
}

Status Disk::write_beneath(const std::string& folder, const std::string& path, std::string_view content) {
  const std::string whole = folder + "/" + path;
  if (auto s = make_folder(folder_of(whole)); !s) return s;
  return write_file(whole, content);
}

Status Disk::remove_beneath(const std::string& folder, const std::string& path) {
  return remove_file(folder + "/" + path);
}

Result<std::string> PosixDisk::read_file(const std::string& path, size_t max_bytes) {
  // O_NONBLOCK: a FIFO without a writer must not block. O_NOCTTY: a terminal must not become the controlling one.
  const Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd.valid()) return errno_error(errno, "opening " + path);
  return read_to_end(fd.get(), path, max_bytes);
}

Status PosixDisk::write_file(const std::string& path, std::string_view content) {
  auto folder = open_folder(folder_of(path));
  if (!folder) return folder.error();
  return replace_file(folder->get(), last_of(path), content, 0600, path);
}

Result<std::string> PosixDisk::read_beneath(const std::string& folder, const std::string& path, size_t max_bytes) {
  const auto root = open_folder(folder);
  if (!root) return root.error();
  const auto fd = open_beneath(root->get(), folder, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!fd) return fd.error();
  struct stat info{};
  const std::string whole = folder + "/" + path;
  if (fstat(fd->get(), &info) != 0) return errno_error(errno, "reading " + whole);
  if (!S_ISREG(info.st_mode) && !S_ISDIR(info.st_mode)) {
    return Error(Code::kFailedPrecondition, "reading " + whole + ": it is not a regular file");
  }
  return read_to_end(fd->get(), whole, max_bytes);
}

Status PosixDisk::write_beneath(const std::string& folder, const std::string& path, std::string_view content) {
  if (auto s = make_folder(folder); !s) return s;
  const auto root = open_folder(folder);
  if (!root) return root.error();
  const auto parent = make_folder_beneath(root->get(), folder, folder_of(path));
  if (!parent) return parent.error();
  return replace_file(parent->get(), last_of(path), content, 0644, folder + "/" + path);
}

Status PosixDisk::remove_beneath(const std::string& folder, const std::string& path) {
  const auto root = open_folder(folder);
  if (!root) return root.error().code() == Code::kNotFound ? Status() : root.error();
  const auto parent = open_beneath(root->get(), folder, folder_of(path), O_PATH | O_DIRECTORY);
  if (!parent) return parent.error().code() == Code::kNotFound ? Status() : parent.error();
  if (unlinkat(parent->get(), last_of(path).c_str(), 0) != 0 && errno != ENOENT) {
    return errno_error(errno, fmt::format("removing {}/{}", folder, path));
  }
  return {};
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
  Fd fd(open(path.c_str(), open_flags(mode) | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0600));
  if (!fd.valid()) return errno_error(errno, "opening " + path);
  struct stat info{};
  if (fstat(fd.get(), &info) != 0) return errno_error(errno, "opening " + path);
  if (Status good = check_written_file(info, "opening " + path, false); !good) return good.error();
  return std::unique_ptr<DiskFile>(std::make_unique<PosixFile>(path, fd.release()));
}

Result<std::vector<std::string>> PosixDisk::list_folder(const std::string& path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path.c_str()), &closedir);
  if (!folder) return errno_error(errno, "listing " + path);
  std::vector<std::string> names;
  while (true) {
    // At the end of the folder, readdir() leaves errno unchanged; after an error it sets it.
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
