#include "ui/print/output.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>

#include "base/standard_streams.h"

namespace monitor::analysis {

namespace {

constexpr int kLookForStopMs = 100;

}  // namespace

Status FdOutput::wait_for_room() const {
  while (true) {
    pollfd room{.fd = fd_, .events = POLLOUT, .revents = 0};
    const int ready = poll(&room, 1, kLookForStopMs);
    if (ready > 0) return {};  // errors, too: the write tells which
    if (ready < 0 && errno != EINTR) return errno_error(errno, "writing the output");
    if (stop_) return Error(Code::kCancelled, "stopped while the output was waiting for its reader");
  }
}

Status FdOutput::write(std::string_view text) {
  while (!text.empty()) {
    // A pipe with room takes PIPE_BUF bytes without blocking; more could block beyond the reach of `stop`.
    if (auto status = wait_for_room(); !status) return status;
    const ssize_t written = ::write(fd_, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return Error(Code::kCancelled, "the reader of the output is gone");
    } else if (errno != EINTR && errno != EAGAIN) {
      return output_error(errno);
    }
  }
  return {};
}

}  // namespace monitor::analysis
