// Disk: file operations, injected so that tests can make them fail. Disk handles whole files; FileDisk also opens files
// for writing in place. Errors include the path. Implementations are thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor {

class Disk {
 public:
  virtual ~Disk() = default;

  // kResourceExhausted if the file is larger than `max_bytes`; the message has its size.
  virtual Result<std::string> read_file(const std::string& path, size_t max_bytes) = 0;
  // Replaces the file atomically and durably: writes a temporary file, fsyncs it, renames it, and fsyncs the folder. A
  // link of that name is replaced, not followed. Mode 0600.
  virtual Status write_file(const std::string& path, std::string_view content) = 0;
  // Also creates the parents (0700). Succeeds if the folder exists.
  virtual Status make_folder(const std::string& path) = 0;
  // Succeeds if the file does not exist.
  virtual Status remove_file(const std::string& path) = 0;

  // The same for a path below `folder`. The path may come from outside: neither it nor the links on it can lead out of
  // the folder (base/beneath.h). kPermissionDenied if one does. Test disks without links need not check this.
  virtual Result<std::string> read_beneath(const std::string& folder, const std::string& path, size_t max_bytes);
  // Creates missing folders. Mode 0644, since these files hold no secrets.
  virtual Status write_beneath(const std::string& folder, const std::string& path, std::string_view content);
  virtual Status remove_beneath(const std::string& folder, const std::string& path);
};

// An open file without a position, closed by its destructor. A write is visible to all readers at once and survives the
// process, but survives a power loss only after sync().
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Returns the number of bytes read; fewer than `size` only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, char* into, size_t size) = 0;
  // A single write(2). Returns the number of bytes written, which may be fewer than all.
  virtual Result<size_t> write_at(uint64_t offset, std::string_view bytes) = 0;
  virtual Status truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() = 0;
  // fsync; may block for long. After a failure, data written since the last success may be lost, and a later success
  // does not change that: the kernel may have dropped those pages.
  virtual Status sync() = 0;
};

// Held until destroyed, or until the process ends in any way.
class DiskLock {
 public:
  virtual ~DiskLock() = default;
};

class FileDisk : public Disk {
 public:
  enum class Open {
    kRead,
    kWrite,   // also reads; the file must exist
    kCreate,  // as kWrite; the file must not exist
  };
  virtual Result<std::unique_ptr<DiskFile>> open_file(const std::string& path, Open mode) = 0;
  // Names of the entries but "." and "..", unordered.
  virtual Result<std::vector<std::string>> list_folder(const std::string& path) = 0;
  virtual Status rename_file(const std::string& from, const std::string& to) = 0;
  // fsyncs the folder: files created, renamed and removed in it survive a power loss.
  virtual Status sync_folder(const std::string& path) = 0;
  // kAborted if another process holds the lock; the message includes `what` and that process.
  virtual Result<std::unique_ptr<DiskLock>> lock_file(const std::string& path, const std::string& what) = 0;
};

class PosixDisk final : public FileDisk {
 public:
  Result<std::string> read_file(const std::string& path, size_t max_bytes) override;
  Status write_file(const std::string& path, std::string_view content) override;
  Status make_folder(const std::string& path) override;
  Status remove_file(const std::string& path) override;
  Result<std::string> read_beneath(const std::string& folder, const std::string& path, size_t max_bytes) override;
  Status write_beneath(const std::string& folder, const std::string& path, std::string_view content) override;
  Status remove_beneath(const std::string& folder, const std::string& path) override;
  Result<std::unique_ptr<DiskFile>> open_file(const std::string& path, Open mode) override;
  Result<std::vector<std::string>> list_folder(const std::string& path) override;
  Status rename_file(const std::string& from, const std::string& to) override;
  Status sync_folder(const std::string& path) override;
  Result<std::unique_ptr<DiskLock>> lock_file(const std::string& path, const std::string& what) override;
};

// Reads an open file to its end; like Disk::read_file, with `path` in errors.
Result<std::string> read_to_end(int fd, const std::string& path, size_t max_bytes);

// An open file descriptor, closed with its owner.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() { reset(); }
  Fd(Fd&& other) noexcept : fd_(other.release()) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;

  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }
  void reset(int fd = -1);

 private:
  int fd_ = -1;
};

}  // namespace monitor
