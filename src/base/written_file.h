// Checks a file before writing to it. Its folder is trusted now (trust.h), but may not have been when the file was
// created. Another user may have left a FIFO, a file of their own, or a hard link to a file of ours that would be
// overwritten. Thread-safe.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/result.h"

namespace monitor {

// Checks the result of lstat() or fstat(): a regular file of this process's effective user or root, with a single link
// if `alone`. kFailedPrecondition or kPermissionDenied; the message starts with `path` and says what to do.
Status check_written_file(const struct stat& info, const std::string& path, bool alone, uid_t self = geteuid());

}  // namespace monitor
