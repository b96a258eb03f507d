// LoopDaemon: libmicrohttpd in an event loop, for the servers of this project: it is run when its descriptor or its
// clock asks for it, its messages go to the log, and a connection that is older than it may be is closed, whatever
// dribbles on it (idle time is libmicrohttpd's own to watch).
//
// Whoever makes the daemon passes on_connection and on_log with this object, and hands it over with begin().
//
// Everything on the loop's thread; the loop must outlive it.
#pragma once

#include <microhttpd.h>

#include <cstdarg>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "base/event_loop.h"
#include "base/result.h"

namespace monitor::telemetry {

class LoopDaemon {
 public:
  // `name` stands in the log; `lifetime_ns` is that of a connection.
  LoopDaemon(EventLoop& loop, std::string name, int64_t lifetime_ns);
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
  // The connection may go on for as long as it likes.
  void spare(MHD_Connection* connection);
  // Where it listens; 0 before begin().
  uint16_t port() const { return port_; }

  static void on_connection(void* self, MHD_Connection* connection, void** context,
                            MHD_ConnectionNotificationCode code);
  static void on_log(void* self, const char* format, va_list arguments);

 private:
  void arm();

  EventLoop& loop_;
  std::string name_;
  int64_t lifetime_ns_;
  MHD_Daemon* daemon_ = nullptr;
  int epoll_fd_ = -1;
  uint16_t port_ = 0;
  EventLoop::TimerId timer_ = 0;
  std::unordered_map<MHD_Connection*, EventLoop::TimerId> lifetimes_;
};

}  // namespace monitor::telemetry
