// WebServer: HTTP for browsers, on the program's loop. Replies may be given at once or later; streams of server-sent
// events need no thread.
//
// Safe on an address that strangers can reach: connections and streams (in total and per address), the size of a
// request, and the time for one are bounded. A flood of unfinished requests does not lock out other addresses
// (connection_table.h).
//
// On the loop's thread. The loop, the broadcaster and the registry must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "telemetry/registry.h"
#include "ui/web/event_broadcaster.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free port
  unsigned max_connections = 1200;
  unsigned max_connections_per_address = 640;  // all browsers behind a proxy share its address
  size_t max_streams = 800;
  size_t max_streams_per_address = 500;
  size_t max_body_bytes = size_t{600} * 1024;
  size_t max_bodies_bytes = size_t{16} << 20;    // of all requests together
  size_t max_replies_bytes = size_t{256} << 20;  // bytes being sent; beyond this, large replies are refused
  int64_t stuck_ns = 30 * kNanosPerSecond;       // a connection without progress for so long is closed
  int64_t head_ns = 5 * kNanosPerSecond;         // for the request line and headers of a new connection
  int64_t request_ns = 60 * kNanosPerSecond;     // for everything but a stream
  int64_t ping_ns = 10 * kNanosPerSecond;        // between `alive` events on an idle stream
  std::string tls_cert = {};  // files in PEM; empty: plain text. They are read again when they change
  std::string tls_key = {};
};

// What a stream sends, and from which event on.
struct StreamStart {
  std::vector<std::string> topics;
  uint64_t place = 0;
  bool reset = false;  // tell the browser to load everything again: events were missed
  // Asked once a second; the stream ends when it returns false. Empty: it may.
  std::function<bool(const Request& request)> may_continue = {};
};

class WebServer {
 public:
  // Answers one request: call exactly one method, once, on the loop's thread, now or later.
  class Responder {
   public:
    void reply(Reply reply) const { server_->reply(token_, std::move(reply)); }
    void stream(StreamStart start) const { server_->stream(token_, std::move(start)); }
    // Whether the client has closed the connection, or its end of it, before the answer. May be asked any number of
    // times before that.
    bool gone() const { return server_->gone(token_); }

   private:
    friend class WebServer;
    Responder(WebServer* server, uint64_t token) : server_(server), token_(token) {}
    WebServer* server_;
    uint64_t token_;
  };
  using Handler = std::function<void(const Request& request, const Responder& responder)>;

  // kUnavailable: the port is taken. kInvalidArgument: the address is malformed.
  static Result<std::unique_ptr<WebServer>> start(EventLoop& loop, const ServerOptions& options,
                                                  EventBroadcaster& broadcaster, telemetry::Registry& registry,
                                                  Handler handler);
  // Closes every connection. Responders must not be used afterwards.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  uint16_t port() const;
  // Call when there may be new events for the streams. Any thread.
  void wake();

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  void reply(uint64_t token, Reply reply);
  void stream(uint64_t token, StreamStart start);
  bool gone(uint64_t token) const;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::analysis::web
