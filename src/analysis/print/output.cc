#include "analysis/print/output.h"

#include <unistd.h>

#include <cerrno>

namespace monitor::analysis {

Status FdOutput::write(std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd_, text.data(), text.size());
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
      continue;
    }
    if (errno == EINTR && !stop_) continue;
    if (errno == EINTR) return Error(Code::kCancelled, "stopped while writing the output");
    if (errno == EPIPE) return Error(Code::kCancelled, "the reader of the output is gone");
    return errno_error(errno, "writing the output");
  }
  return {};
}

}  // namespace monitor::analysis
