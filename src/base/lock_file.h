// A lock that one process holds, by flock(2) on a file that says who: it ends with the process, however that ends.
#pragma once

#include <string>

#include "base/disk.h"
#include "base/result.h"

namespace monitor {

class LockFile {
 public:
  // kAborted when another process has it; the message names that process.
  static Result<LockFile> acquire(const std::string& path, const std::string& purpose);

 private:
  explicit LockFile(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace monitor
