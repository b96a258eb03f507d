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
    if (ready > 0) return {};  // also after POLLERR: the write reports the error
    if (ready < 0 && errno != EINTR) return errno_error(errno, "writing the output");
    if (stop_) return Error(Code::kCancelled, "stopped while waiting for the reader of the output");
  }
}

Status FdOutput::write(std::string_view text) {
  while (!text.empty()) {
    // A pipe that is ready takes PIPE_BUF bytes without blocking. A longer write could block, and `stop` could not end
    // it.
    if (auto status = wait_for_room(); !status) return status;
    const ssize_t written = ::write(fd_, text.data(), std::min<size_t>(text.size(), PIPE_BUF));
    if (written >= 0) {
      text.remove_prefix(static_cast<size_t>(written));
    } else if (errno == EPIPE) {
      return Error(Code::kCancelled, "the reader of the output has closed it");
    } else if (errno != EINTR && errno != EAGAIN) {
      return output_error(errno);
    }
  }
  return {};
}

}  // namespace monitor::analysis
