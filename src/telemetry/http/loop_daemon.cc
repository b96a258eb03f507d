#include "telemetry/http/loop_daemon.h"

#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <string_view>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "telemetry/http/http_server.h"

namespace monitor::telemetry {

namespace {

// Limit on connections accepted per turn, so that a flood leaves time for the rest of the program. Their requests are
// read before further connections are accepted.
constexpr int kAcceptsInATurn = 64;
constexpr int kAcceptsInARun = 8;
// How long accepting pauses after running out of descriptors.
constexpr int64_t kRest = 100 * kNanosPerMilli;
// Maximum number of closing connections; libmicrohttpd closes them when it runs next.
constexpr unsigned kLeaving = 256;
constexpr std::string_view kRefusal =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\nContent-Type: text/plain\r\n"
    "Content-Length: 21\r\n\r\ntoo many connections\n";

MHD_Result add_host(void* list, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  if (strcasecmp(name, MHD_HTTP_HEADER_HOST) == 0) {
    static_cast<std::vector<std::string>*>(list)->emplace_back(value == nullptr ? "" : value);
  }
  return MHD_YES;
}

}  // namespace

std::vector<std::string> host_headers(MHD_Connection* connection) {
  std::vector<std::string> found;
  MHD_get_connection_values(connection, MHD_HEADER_KIND, &add_host, &found);
  return found;
}

LoopDaemon::LoopDaemon(EventLoop& loop, std::string name, const ConnectionLimits& limits)
    : loop_(loop), name_(std::move(name)), limits_(limits), table_(limits) {}

LoopDaemon::~LoopDaemon() { end(); }

unsigned LoopDaemon::mhd_limit() const { return static_cast<unsigned>(limits_.connections) + kLeaving; }

Status LoopDaemon::begin(MHD_Daemon* daemon, int fd) {
  if (daemon == nullptr) {
    close(fd);
    return Error(Code::kInternal, "starting the " + name_ + " failed");
  }
  daemon_ = daemon;
  listen_fd_ = fd;
  port_ = bound_port(fd);
  epoll_fd_ = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  loop_.watch(epoll_fd_, EPOLLIN, [this](uint32_t) { run(); });
  loop_.watch(listen_fd_, EPOLLIN, [this](uint32_t) { accept_some(); });
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

void LoopDaemon::accept_some() {
  for (int taken = 1; taken <= kAcceptsInATurn; ++taken) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    const int fd = accept4(listen_fd_, reinterpret_cast<sockaddr*>(&address), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      const int why = errno;
      const bool out = why == EMFILE || why == ENFILE || why == ENOBUFS || why == ENOMEM;
      if (out ? !free_a_descriptor() : why != ECONNABORTED && why != EINTR) break;
      continue;
    }
    take(fd, address, size);
    if (taken % kAcceptsInARun == 0) run();
  }
  run();
}

void LoopDaemon::take(int fd, const sockaddr_storage& address, socklen_t size) {
  forget_given(fd);  // libmicrohttpd may have closed it without starting it
  PeerAddress peer = peer_address(address);
  for (auto room = table_.room_for(peer.group); room != ConnectionTable::Room::kYes;
       room = table_.room_for(peer.group)) {
    if (make_room(room, peer.group)) continue;
    refuse(fd, peer);
    return;
  }
  given_[fd] = table_.add(fd, std::move(peer), loop_.clock().mono_ns());
  // libmicrohttpd closes the socket on failure.
  if (MHD_add_connection(daemon_, fd, reinterpret_cast<const sockaddr*>(&address), size) != MHD_YES) forget_given(fd);
}

void LoopDaemon::forget_given(int fd) {
  const auto found = given_.find(fd);
  if (found == given_.end()) return;
  table_.remove(found->second);
  given_.erase(found);
}

bool LoopDaemon::make_room(ConnectionTable::Room why, const std::string& group) {
  const auto victim = table_.victim(why, group, loop_.clock().mono_ns());
  if (victim == ConnectionTable::kNone) return false;
  close_later(victim, why == ConnectionTable::Room::kFull ? "the connection limit is reached"
                                                          : "the limit for its address is reached");
  return true;
}

// Sends without reading or waiting, so the client may see a reset instead of the reason.
void LoopDaemon::refuse(int fd, const PeerAddress& peer) {
  log_warning("HTTP connection refused", {{"service", name_}, {"address", peer.group}, {"reason", "no room"}});
  (void)send(fd, kRefusal.data(), kRefusal.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  close(fd);
}

// Returns false if no connection may be closed. Accepting then pauses, because the socket would be reported as readable
// again and again.
bool LoopDaemon::free_a_descriptor() {
  log_warning("HTTP connections cannot be accepted", {{"service", name_}, {"reason", errno_error(errno, "accept")}});
  const auto victim = table_.victim(ConnectionTable::Room::kFull, "", loop_.clock().mono_ns());
  if (victim != ConnectionTable::kNone) {
    close_later(victim, "out of descriptors");
    run();
    return true;
  }
  if (rest_timer_ != 0) return false;
  loop_.change_watch(listen_fd_, 0);
  rest_timer_ = loop_.call_after(kRest, [this] {
    rest_timer_ = 0;
    loop_.change_watch(listen_fd_, EPOLLIN);
  });
  return false;
}

void LoopDaemon::close_later(ConnectionTable::Id id, const char* why) {
  if (!table_.contains(id)) return;
  log_warning("HTTP connection closed before its request was complete",
              {{"service", name_}, {"address", table_.peer_of(id).group}, {"reason", why}});
  shutdown(table_.fd_of(id), SHUT_RDWR);
  table_.leave(id);
}

void LoopDaemon::pause() {
  loop_.cancel_timer(std::exchange(timer_, 0));
  loop_.cancel_timer(std::exchange(rest_timer_, 0));
  if (const int fd = std::exchange(epoll_fd_, -1); fd >= 0) loop_.unwatch(fd);
  if (const int fd = std::exchange(listen_fd_, -1); fd >= 0) {
    loop_.unwatch(fd);
    close(fd);
  }
}

void LoopDaemon::end() {
  pause();
  if (MHD_Daemon* const daemon = std::exchange(daemon_, nullptr)) MHD_stop_daemon(daemon);
  while (!live_.empty()) ended(live_.begin()->first);
  while (!given_.empty()) forget_given(given_.begin()->first);
}

void LoopDaemon::set_phase(MHD_Connection* connection, HttpPhase phase) {
  const auto found = live_.find(connection);
  if (found == live_.end()) return;
  Live& live = found->second;
  table_.set_phase(live.id, phase, loop_.clock().mono_ns());
  loop_.cancel_timer(std::exchange(live.head_timer, 0));
  if (phase == HttpPhase::kStream) loop_.cancel_timer(std::exchange(live.lifetime_timer, 0));
  if (phase != HttpPhase::kHead) return;
  live.head_timer = loop_.call_after(limits_.idle_ns + limits_.head_ns,
                                     [this, id = live.id] { shutdown(table_.fd_of(id), SHUT_RDWR); });
}

void LoopDaemon::cut(MHD_Connection* connection) {
  const auto found = live_.find(connection);
  if (found == live_.end()) return;
  shutdown(table_.fd_of(found->second.id), SHUT_RDWR);
  table_.leave(found->second.id);
}

PeerAddress LoopDaemon::peer_of(MHD_Connection* connection) const {
  const auto found = live_.find(connection);
  return found == live_.end() ? PeerAddress{.text = "unknown", .group = "unknown"} : table_.peer_of(found->second.id);
}

void LoopDaemon::started(MHD_Connection* connection) {
  const int fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  Live& live = live_[connection];
  live.id = given_.at(fd);
  given_.erase(fd);
  live.head_timer =
      loop_.call_after(limits_.head_ns, [this, id = live.id] { close_later(id, "its request took too long"); });
  live.lifetime_timer = loop_.call_after(limits_.lifetime_ns, [fd] { shutdown(fd, SHUT_RDWR); });
}

void LoopDaemon::ended(MHD_Connection* connection) {
  const auto found = live_.find(connection);
  if (found == live_.end()) return;
  loop_.cancel_timer(found->second.head_timer);
  loop_.cancel_timer(found->second.lifetime_timer);
  table_.remove(found->second.id);
  live_.erase(found);
}

void LoopDaemon::on_connection(void* self, MHD_Connection* connection, void** /*context*/,
                               MHD_ConnectionNotificationCode code) {
  auto& daemon = *static_cast<LoopDaemon*>(self);
  if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
    daemon.ended(connection);
  } else {
    daemon.started(connection);
  }
}

void LoopDaemon::on_log(void* self, const char* format, va_list arguments) {
  if (!log_enabled(LogLevel::kDebug)) return;
  std::array<char, 256> text{};
  vsnprintf(text.data(), text.size(), format, arguments);
  log_debug(static_cast<LoopDaemon*>(self)->name_, {{"detail", trim(text.data())}});
}

}  // namespace monitor::telemetry
