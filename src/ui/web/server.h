// WebServer: HTTP for browsers, on the program's loop: replies at once or later, and streams of server-sent events
// without a thread for any of them.
//
// Made for an address that strangers may reach: connections and streams, in total and of an address, bytes of a request
// and the time that one may take are bounded. A flood of unfinished requests keeps nobody out, that of one address
// nobody else (connection_table.h). Everything on the loop's thread; the loop, the hub and the registry must outlive
// it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "telemetry/registry.h"
#include "ui/web/http.h"
#include "ui/web/hub.h"

namespace monitor::analysis::web {

struct ServerOptions {
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0 picks one
  unsigned max_connections = 1200;
  unsigned max_connections_per_address = 640;  // a proxy's address is that of all its browsers
  size_t max_streams = 800;
  size_t max_streams_per_address = 500;
  size_t max_body_bytes = size_t{600} * 1024;
  size_t max_bodies_bytes = size_t{16} << 20;    // of all requests together
  size_t max_replies_bytes = size_t{256} << 20;  // that are being sent; beyond it large ones are refused
  int64_t stuck_ns = 30 * kNanosPerSecond;       // nothing moves for so long: the connection is closed
  int64_t head_ns = 5 * kNanosPerSecond;         // in which a new connection must send a request's line and headers
  int64_t request_ns = 60 * kNanosPerSecond;     // in which a connection that is no stream must be done
  int64_t ping_ns = 10 * kNanosPerSecond;        // a stream without events says that it lives
};

// What a stream is to carry, and from where on.
struct StreamStart {
  std::vector<std::string> topics;
  uint64_t place = 0;
  bool reset = false;  // the browser must begin anew: what it had seen cannot be followed up
};

class WebServer {
 public:
  // The one way to answer a request: exactly one call of either, on the loop, now or later.
  class Responder {
   public:
    void reply(Reply reply) const { server_->reply(token_, std::move(reply)); }
    void stream(StreamStart start) const { server_->stream(token_, std::move(start)); }

   private:
    friend class WebServer;
    Responder(WebServer* server, uint64_t token) : server_(server), token_(token) {}
    WebServer* server_;
    uint64_t token_;
  };
  using Handler = std::function<void(const Request& request, const Responder& responder)>;

  // kUnavailable when the port is taken, kInvalidArgument for an address that is none.
  static Result<std::unique_ptr<WebServer>> start(EventLoop& loop, const ServerOptions& options, Hub& hub,
                                                  telemetry::Registry& registry, Handler handler);
  // Closes every connection. Responders that are left do nothing after it: they must not be used.
  ~WebServer();
  WebServer(const WebServer&) = delete;
  WebServer& operator=(const WebServer&) = delete;

  uint16_t port() const;
  // There may be events for the streams. From any thread.
  void wake();

 private:
  class Impl;
  explicit WebServer(std::unique_ptr<Impl> impl);
  void reply(uint64_t token, Reply reply);
  void stream(uint64_t token, StreamStart start);
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::analysis::web
