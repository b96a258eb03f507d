// The disk, injected: what writes files takes a Disk, so that tests make calls fail. Disk knows whole files; FileDisk
// opens them as well, for those who write in place.
// Errors carry the path. Implementations are thread-safe.
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

  // kResourceExhausted when the file has more than `max_bytes`; the message says how many.
  virtual Result<std::string> read_file(const std::string& path, size_t max_bytes) = 0;
  // The whole new content or the old one, whatever happens: written beside it, synced, renamed, the folder synced. A
  // link of that name is replaced, not followed. The owner's alone (0600).
  virtual Status write_file(const std::string& path, std::string_view content) = 0;
  // Also its parents. Nothing to do is no error. New folders are the owner's alone (0700).
  virtual Status make_folder(const std::string& path) = 0;
  // Nothing to remove is no error.
  virtual Status remove_file(const std::string& path) = 0;

  // The same of what lies below a folder, at a relative path that others may have chosen: never outside of the folder,
  // whatever the path says and whatever links lie there (base/beneath.h). kPermissionDenied when it would lead outside.
  // A disk without links, as those of tests, need not care.
  virtual Result<std::string> read_beneath(const std::string& folder, const std::string& path, size_t max_bytes);
  // Makes the folders that are missing. Readable by all whom the folder lets in (0644): these are no secrets.
  virtual Status write_beneath(const std::string& folder, const std::string& path, std::string_view content);
  virtual Status remove_beneath(const std::string& folder, const std::string& path);
};

// An open file, closed with its owner; it has no position of its own. What is written is seen by every reader at once,
// and outlives the process; it outlives a loss of power only after sync().
class DiskFile {
 public:
  virtual ~DiskFile() = default;
  // Bytes that were read: fewer than `size` only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, char* into, size_t size) = 0;
  // One write: bytes that were taken, which may be fewer than all.
  virtual Result<size_t> write_at(uint64_t offset, std::string_view bytes) = 0;
  virtual Status truncate(uint64_t size) = 0;
  virtual Result<uint64_t> size() = 0;
  // Blocks for as long as the device likes. After a failure nothing is known of what was written since the last
  // success, and a later success says nothing about it: the kernel may have dropped those pages.
  virtual Status sync() = 0;
};

// Held until destroyed; goes with the process, however that ends.
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
  // Names of what is in the folder but "." and "..", in no order.
  virtual Result<std::vector<std::string>> list_folder(const std::string& path) = 0;
  virtual Status rename_file(const std::string& from, const std::string& to) = 0;
  // What was created, renamed and removed in the folder outlives a loss of power from now on.
  virtual Status sync_folder(const std::string& path) = 0;
  // kAborted when another process holds it; the message names `what`, and that process.
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

// What is left to read of an open file; as Disk::read_file, whose errors name `path`.
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
