#include "telemetry/http/loop_daemon.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "telemetry/http/http_server.h"

namespace monitor::telemetry {

LoopDaemon::LoopDaemon(EventLoop& loop, std::string name, int64_t lifetime_ns)
    : loop_(loop), name_(std::move(name)), lifetime_ns_(lifetime_ns) {}

LoopDaemon::~LoopDaemon() { end(); }

Status LoopDaemon::begin(MHD_Daemon* daemon, int fd) {
  if (daemon == nullptr) {
    close(fd);
    return Error(Code::kInternal, "starting the " + name_ + " failed");
  }
  daemon_ = daemon;
  port_ = port_of(fd);
  epoll_fd_ = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  loop_.watch(epoll_fd_, EPOLLIN, [this](uint32_t) { run(); });
  arm();
  return {};
}

void LoopDaemon::run() {
  MHD_run(daemon_);
  arm();
}

void LoopDaemon::arm() {
  loop_.cancel_timer(timer_);
  timer_ = 0;
  MHD_UNSIGNED_LONG_LONG wait_ms = 0;
  if (MHD_get_timeout(daemon_, &wait_ms) != MHD_YES) return;
  timer_ = loop_.call_after(static_cast<int64_t>(wait_ms) * kNanosPerMilli, [this] { run(); });
}

void LoopDaemon::pause() {
  loop_.cancel_timer(std::exchange(timer_, 0));
  if (const int fd = std::exchange(epoll_fd_, -1); fd >= 0) loop_.unwatch(fd);
}

void LoopDaemon::end() {
  pause();
  if (MHD_Daemon* const daemon = std::exchange(daemon_, nullptr)) MHD_stop_daemon(daemon);
  for (const auto& [connection, timer] : std::exchange(lifetimes_, {})) loop_.cancel_timer(timer);
}

void LoopDaemon::spare(MHD_Connection* connection) {
  const auto found = lifetimes_.find(connection);
  if (found == lifetimes_.end()) return;
  loop_.cancel_timer(found->second);
  lifetimes_.erase(found);
}

void LoopDaemon::on_connection(void* self, MHD_Connection* connection, void** /*context*/,
                               MHD_ConnectionNotificationCode code) {
  LoopDaemon& daemon = *static_cast<LoopDaemon*>(self);
  daemon.spare(connection);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) return;
  const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  daemon.lifetimes_[connection] = daemon.loop_.call_after(daemon.lifetime_ns_, [fd] { shutdown(fd, SHUT_RDWR); });
}

void LoopDaemon::on_log(void* self, const char* format, va_list arguments) {
  if (!log_enabled(LogLevel::kDebug)) return;
  std::array<char, 256> text{};
  vsnprintf(text.data(), text.size(), format, arguments);
  log_debug(static_cast<LoopDaemon*>(self)->name_, {{"detail", trim(text.data())}});
}

}  // namespace monitor::telemetry
