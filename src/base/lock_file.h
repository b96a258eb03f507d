// A file whose lock names the one process that may do something. The lock goes with the process, however it ends.
#pragma once

#include <string>
#include <utility>

#include "base/result.h"

namespace monitor {

class LockFile {
 public:
  // Opened and locked, for as long as it lives. kAborted when another process has it; the message names `what` and that
  // process. An agent, a folder, ... is what `what` names.
  static Result<LockFile> acquire(const std::string& path, const std::string& what);

  // Makes the file when missing; does not lock yet.
  static Result<LockFile> open(const std::string& path);
  LockFile(LockFile&& other) noexcept : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}
  LockFile& operator=(LockFile&&) = delete;
  LockFile(const LockFile&) = delete;
  LockFile& operator=(const LockFile&) = delete;
  ~LockFile();

  // True: held, until destruction, and `owner` is written into the file for others to read. Never waits.
  bool try_lock(const std::string& owner);
  // What the holder wrote.
  std::string owner() const;
  // Moves the file's change time, which watchers of the folder see.
  void touch() const;

 private:
  LockFile(std::string path, int fd) : path_(std::move(path)), fd_(fd) {}
  std::string path_;
  int fd_ = -1;
};

}  // namespace monitor
