// Whether a file that is opened for writing is one of ours. Its folder is trusted by now (trust.h), but may not have
// been when the file was made: who could write there then may have left a FIFO, a file that stays theirs, or a second
// name of one of ours that is about to be overwritten. Thread-safe.
#pragma once

#include <sys/stat.h>
#include <unistd.h>

#include <string>

#include "base/result.h"

namespace monitor {

// By what lstat() or fstat() says: a regular file of this process's effective user or root, with no second name where
// it must be `alone`. kFailedPrecondition or kPermissionDenied; the message begins with `path`, and says what to do.
Status check_written_file(const struct stat& info, const std::string& path, bool alone, uid_t self = geteuid());

}  // namespace monitor
