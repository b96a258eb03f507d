// The disk, injected: what writes files takes a Disk, so that tests make calls fail.
// Errors carry the path. Implementations are thread-safe.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor {

class Disk {
 public:
  virtual ~Disk() = default;

  // kResourceExhausted when the file has more than `max_bytes`; the message says how many.
  virtual Result<std::string> read_file(const std::string& path, size_t max_bytes) = 0;
  // The whole new content or the old one, whatever happens: written beside it, synced, renamed, the folder synced.
  virtual Status write_file(const std::string& path, std::string_view content) = 0;
  // Also its parents. Nothing to do is no error. New folders are the owner's alone (0700).
  virtual Status make_folder(const std::string& path) = 0;
  // Nothing to remove is no error.
  virtual Status remove_file(const std::string& path) = 0;
};

class PosixDisk final : public Disk {
 public:
  Result<std::string> read_file(const std::string& path, size_t max_bytes) override;
  Status write_file(const std::string& path, std::string_view content) override;
  Status make_folder(const std::string& path) override;
  Status remove_file(const std::string& path) override;
};

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
