// LoopDaemon: runs libmicrohttpd in an event loop, driven by its descriptor and its timeout, and logs its messages.
//
// LoopDaemon accepts connections itself. At its own connection limit, libmicrohttpd would remove the listening socket
// from its epoll set, and restore it only when it runs next. If all connections ended at once, nothing would make it
// run. Here the socket is always watched, and if there is no room, connection_table.h chooses a connection to evict. A
// connection that does not send a complete request head in time is closed.
//
// The owner starts the daemon with MHD_USE_NO_LISTEN_SOCKET and a limit of mhd_limit() connections, registers
// on_connection and on_log with this object as argument, and passes the daemon to begin().
//
// Thread contract: the loop's thread; the loop must outlive it.
#pragma once

#include <microhttpd.h>

#include <cstdarg>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "telemetry/http/connection_table.h"

namespace monitor::telemetry {

class LoopDaemon {
 public:
  // `name` is used in log lines.
  LoopDaemon(EventLoop& loop, std::string name, const ConnectionLimits& limits);
  ~LoopDaemon();
  LoopDaemon(const LoopDaemon&) = delete;
  LoopDaemon& operator=(const LoopDaemon&) = delete;

  // Takes ownership of the daemon and of the listening socket `fd`. If `daemon` is nullptr because creating it failed,
  // closes the socket.
  Status begin(MHD_Daemon* daemon, int fd);
  // Runs the daemon now, for example after resuming a connection.
  void run();
  // Detaches from the loop. end() then closes the connections, reporting each, and the socket.
  void pause();
  void end();
  // Sets the phase of a connection's request. A stream has no time limit.
  void set_phase(MHD_Connection* connection, HttpPhase phase);
  // Closes the connection when libmicrohttpd runs next. A suspended connection must be resumed first.
  void cut(MHD_Connection* connection);
  PeerAddress peer_of(MHD_Connection* connection) const;
  // Maximum number of connections.
  size_t connections() const { return limits_.connections; }
  size_t streams_of(const std::string& group) const { return table_.streams_of(group); }
  // The port; 0 before begin().
  uint16_t port() const { return port_; }
  // The limit for libmicrohttpd itself, which also counts closing connections.
  unsigned mhd_limit() const;

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code);
  static void on_log(void* self, const char* format, va_list arguments);

 private:
  struct Live {
    ConnectionTable::Id id = ConnectionTable::kNone;
    EventLoop::TimerId head_timer = 0;
    EventLoop::TimerId lifetime_timer = 0;
  };

  void arm();
  void accept_some();
  void take(int fd, const sockaddr_storage& address, socklen_t size);
  bool make_room(ConnectionTable::Room why, const std::string& group);
  void refuse(int fd, const PeerAddress& peer);
  void forget_given(int fd);
  bool free_a_descriptor();
  void close_later(ConnectionTable::Id id, const char* why);
  void started(MHD_Connection* connection);
  void ended(MHD_Connection* connection);

  EventLoop& loop_;
  const std::string name_;
  const ConnectionLimits limits_;
  MHD_Daemon* daemon_ = nullptr;
  int listen_fd_ = -1;
  int epoll_fd_ = -1;
  uint16_t port_ = 0;
  EventLoop::TimerId timer_ = 0;
  EventLoop::TimerId rest_timer_ = 0;
  ConnectionTable table_;
  std::unordered_map<MHD_Connection*, Live> live_;
  // Connections passed to libmicrohttpd that it has not started yet, by descriptor. From version 1.0 on, it starts them
  // only when it runs next.
  std::unordered_map<int, ConnectionTable::Id> given_;
};

// All raw Host headers of a request.
std::vector<std::string> host_headers(MHD_Connection* connection);

}  // namespace monitor::telemetry
