#include "base/signals.h"

#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <optional>

#include "base/log.h"
#include "base/text.h"

namespace monitor {

namespace {

constexpr int64_t kSameRequest = 250 * kNanosPerMilli;

sigset_t watched_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&set, signal);
  return set;
}

void follow_supervisor() {
  const char* const text = std::getenv("MONITOR_SUPERVISOR_PID");  // NOLINT(concurrency-mt-unsafe): before any thread
  const auto pid = text == nullptr ? std::nullopt : parse_u64(text);
  if (pid && static_cast<pid_t>(*pid) == getppid()) prctl(PR_SET_PDEATHSIG, SIGTERM);
}

}  // namespace

void block_signals() {
  const sigset_t set = watched_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  follow_supervisor();
}

void let_signals_end_process() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&set, signal);
  pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

Signals::Signals(EventLoop& loop, Handler on_stop, Handler on_reload, Handler on_child)
    : loop_(loop), on_stop_(std::move(on_stop)), on_reload_(std::move(on_reload)), on_child_(std::move(on_child)) {
  const sigset_t set = watched_signals();
  fd_ = Fd(signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC));
  if (!fd_.valid()) std::abort();  // out of descriptors before anything has begun
  loop_.watch(fd_.get(), EPOLLIN, [this](uint32_t) { on_readable(); });
}

Signals::~Signals() { loop_.unwatch(fd_.get()); }

void Signals::on_readable() {
  signalfd_siginfo info{};
  while (read(fd_.get(), &info, sizeof info) == sizeof info) {
    const int signal = static_cast<int>(info.ssi_signo);
    if (signal == SIGCHLD) {
      if (on_child_) on_child_(signal);
    } else if (signal == SIGHUP && on_reload_) {
      on_reload_(signal);
    } else if (!stopping_) {
      // Without a handler, SIGHUP ends the process, as usual when its terminal closes.
      stopping_ = true;
      asked_ns_ = loop_.clock().mono_ns();
      on_stop_(signal);
    } else if (loop_.clock().mono_ns() - asked_ns_ > kSameRequest) {
      log_warning("second signal; stopping at once");
      _exit(128 + signal);
    }
  }
}

}  // namespace monitor
