// LockFile: lets one process at a time do something. The kernel releases the lock when the process ends, however it
// ends.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace monitor {

class LockFile {
 public:
  // Opens and locks the file for the lifetime of the object. kAborted if another process holds it; the message includes
  // `what` ("agent web-1") and that process.
  static Result<LockFile> acquire(const std::string& path, const std::string& what);

  // Creates the file if missing; does not lock it yet.
  static Result<LockFile> open(const std::string& path);
  LockFile(LockFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

  // Returns true if the lock was taken; it is held until destruction, and `owner` is written to the file. Never waits.
  bool try_lock(const std::string& owner);
  // The holder's `owner` text.
  std::string owner() const;
  // Updates the file's change time, so that watchers of the folder notice.
  void touch() const;

 private:
  LockFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace monitor
