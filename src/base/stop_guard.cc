#include "base/stop_guard.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>

#include "base/clock.h"
#include "base/exit_codes.h"

namespace monitor {

namespace {

Fd stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
}

void raise_event(const Fd& event) {
  const uint64_t one = 1;
  (void)!write(event.get(), &one, sizeof one);
}

// Never blocks on standard error.
void write_line(const std::string& line) {
  pollfd out{STDERR_FILENO, POLLOUT, 0};
  if (poll(&out, 1, 0) > 0) (void)!write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace

StopGuard::StopGuard(std::string program, int64_t limit_ns)
    : program_(std::move(program)),
      limit_ns_(limit_ns),
      signals_(stop_signals()),
      armed_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      ended_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!signals_.valid() || !armed_.valid() || !ended_.valid()) std::abort();  // out of descriptors at the start
  thread_ = std::thread([this] { watch(); });
}

StopGuard::~StopGuard() {
  raise_event(ended_);
  thread_.join();
}

void StopGuard::arm() { raise_event(armed_); }

// Returns false if the process ends by itself.
bool StopGuard::wait_for_stop() const {
  while (true) {
    std::array<pollfd, 3> watched{{{signals_.get(), POLLIN, 0}, {armed_.get(), POLLIN, 0}, {ended_.get(), POLLIN, 0}}};
    if (poll(watched.data(), watched.size(), -1) < 0 && errno != EINTR) return false;
    if (watched[2].revents != 0) return false;
    if (watched[0].revents != 0 || watched[1].revents != 0) return true;
  }
}

void StopGuard::watch() {
  if (!wait_for_stop()) return;
  const auto end = std::chrono::steady_clock::now() + std::chrono::nanoseconds(limit_ns_);
  while (true) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - std::chrono::steady_clock::now());
    if (left.count() < 0) break;
    pollfd ended{ended_.get(), POLLIN, 0};
    if (poll(&ended, 1, static_cast<int>(std::min<int64_t>(left.count() + 1, INT_MAX))) > 0) return;
  }
  write_line(fmt::format("{}: not stopped within {} ms of the signal; something hangs; exiting\n", program_,
                         limit_ns_ / kNanosPerMilli));
  _exit(kExitTempFail);
}

}  // namespace monitor
