// HttpServer: serves a program's own pages (GET and HEAD) synchronously on the program's loop.
//
// Safe on a public address: it limits connections in total and by address, request size and connection time, so that
// invalid and slow clients only use their share. A flood of unfinished requests does not block complete ones
// (connection_table.h).
//
// Thread contract: the loop's thread; the loop must outlive the server.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/net/listen_socket.h"
#include "base/result.h"
#include "telemetry/registry.h"

namespace monitor::telemetry {

struct HttpOptions {
  std::string address = "127.0.0.1";  // numeric, IPv4 or IPv6
  uint16_t port = 0;                  // 0: the kernel picks a free one
  unsigned max_connections = 256;
  unsigned max_connections_per_address = 192;
  size_t max_request_bytes = size_t{16} * 1024;  // request line and headers
  int64_t head_ns = 5 * kNanosPerSecond;         // time limit for the request line and headers
  int64_t idle_timeout_ns = 10 * kNanosPerSecond;
  int64_t max_connection_ns = 60 * kNanosPerSecond;  // maximum age
};

struct HttpReply {
  unsigned status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

// Called on the loop with the path, without the query. Must not destroy the server.
using HttpHandler = std::function<HttpReply(std::string_view path)>;

class HttpServer {
 public:
  // kUnavailable if the port is in use, kInvalidArgument if the address is not numeric.
  static Result<std::unique_ptr<HttpServer>> start(EventLoop& loop, const HttpOptions& options, HttpHandler handler);
  // Closes every connection.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  uint16_t port() const;

 private:
  class Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Returns a non-blocking listening socket. kUnavailable if the port is in use, kInvalidArgument if the address is not
// numeric.
Result<Fd> listen_http(const std::string& address, uint16_t port);

// "127.0.0.1:9464", "[::1]:9464", ":9464" (loopback) or "9464" (loopback). "localhost" is 127.0.0.1.
Result<HttpOptions> parse_http_address(std::string_view text);

// Handles /metrics, /healthz (the process responds) and /readyz (503 with the text of `trouble` unless it is empty).
HttpHandler own_pages(const Registry& registry, std::function<std::string()> trouble);

}  // namespace monitor::telemetry
