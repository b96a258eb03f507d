// LoopDaemon: libmicrohttpd in an event loop. It runs when its descriptor or its clock asks for it, and its messages go
// to the log.
//
// Connections are accepted here and handed to libmicrohttpd. libmicrohttpd, when it accepts by itself, takes the
// listening socket out of its epoll set at its connection limit, and puts it back only when it next runs: where all
// connections end at once, nothing ever asks it to run again. Here the listening socket is watched all the time, and a
// connection makes way when there is no room (connection_table.h). A connection that does not complete a request head
// in time is closed.
//
// The owner starts the daemon with MHD_USE_NO_LISTEN_SOCKET and mhd_limit() connections, passes on_connection and
// on_log with this object, and hands it over with begin().
//
// Everything on the loop's thread; the loop must outlive it.
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
  // `name` stands in the log.
  LoopDaemon(EventLoop& loop, std::string name, const ConnectionLimits& limits);
  ~LoopDaemon();
  LoopDaemon(const LoopDaemon&) = delete;
  LoopDaemon& operator=(const LoopDaemon&) = delete;

  // From now on it is served. It owns the listening socket `fd`; when it is null, making it has failed, and the socket
  // is closed.
  Status begin(MHD_Daemon* daemon, int fd);
  // Serves what is ready now, besides what the loop sees by itself: a connection that was resumed.
  void run();
  // No more from the loop; then end() closes the connections, of each of which the end is reported, and the socket.
  void pause();
  void end();
  // Says how far the connection's request is. A stream may go on for as long as it likes.
  void set_phase(MHD_Connection* connection, HttpPhase phase);
  // Closes the connection once libmicrohttpd runs; a suspended one must be resumed for it.
  void cut(MHD_Connection* connection);
  PeerAddress peer_of(MHD_Connection* connection) const;
  // How many connections it holds at most.
  size_t connections() const { return limits_.connections; }
  size_t streams_of(const std::string& group) const { return table_.streams_of(group); }
  // Where it listens; 0 before begin().
  uint16_t port() const { return port_; }
  // libmicrohttpd's own limit: those that are being closed still count there.
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
  // Connections that libmicrohttpd was given and has not started yet, by descriptor. From 1.0 on it starts them only
  // when it runs next.
  std::unordered_map<int, ConnectionTable::Id> given_;
};

// All Host headers of a request, as they came.
std::vector<std::string> host_headers(MHD_Connection* connection);

}  // namespace monitor::telemetry
