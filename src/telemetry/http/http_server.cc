#include "telemetry/http/http_server.h"

#include <fmt/format.h>
#include <microhttpd.h>

#include <algorithm>
#include <utility>

#include "base/net/address.h"
#include "base/text.h"
#include "telemetry/http/host_header.h"
#include "telemetry/http/loop_daemon.h"

namespace monitor::telemetry {

namespace {

// Sized for all browsers reconnecting at once after a restart.
constexpr int kBacklog = 512;
constexpr double kShareOfDescriptors = 0.25;  // the rest is for the program's actual work

}  // namespace

Result<Fd> listen_http(const std::string& address, uint16_t port) {
  const auto parsed = parse_socket_address(address, port);
  if (!parsed) {
    return Error(Code::kInvalidArgument,
                 fmt::format("HTTP address: got {}, expected an IPv4 or IPv6 address", json_quote(address)));
  }
  auto fd =
      listen_tcp(*parsed, {.backlog = kBacklog, .dual_stack = true}, fmt::format("HTTP on {} port {}", address, port));
  if (fd) return fd;
  return Error(Code::kUnavailable, fd.error().message() + "; choose another with --http ADDR:PORT");
}

class HttpServer::Impl {
 public:
  Impl(EventLoop& loop, HttpHandler handler, const HttpOptions& options)
      : handler_(std::move(handler)),
        daemon_(loop, "http server",
                within_descriptors({.connections = options.max_connections,
                                    .per_address = options.max_connections_per_address,
                                    .head_ns = options.head_ns,
                                    .idle_ns = options.idle_timeout_ns,
                                    .lifetime_ns = options.max_connection_ns},
                                   kShareOfDescriptors)) {}

  Status start(int fd, const HttpOptions& options) {
    MHD_Daemon* const daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr, &Impl::on_request, this,
        MHD_OPTION_CONNECTION_LIMIT, daemon_.mhd_limit(), MHD_OPTION_CONNECTION_MEMORY_LIMIT, options.max_request_bytes,
        MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(options.idle_timeout_ns / kNanosPerSecond),
        MHD_OPTION_NOTIFY_CONNECTION, &LoopDaemon::on_connection, &daemon_, MHD_OPTION_NOTIFY_COMPLETED,
        &Impl::on_completed, this, MHD_OPTION_EXTERNAL_LOGGER, &LoopDaemon::on_log, &daemon_, MHD_OPTION_END);
    return daemon_.begin(daemon, fd);
  }

  uint16_t port() const { return daemon_.port(); }

 private:
  HttpReply answer(MHD_Connection* connection, const char* url, std::string_view method, const char* version) {
    const auto target = request_target(host_headers(connection), version, url);
    if (!target) return {.status = MHD_HTTP_BAD_REQUEST, .body = target.error().message() + "\n"};
    if (method != MHD_HTTP_METHOD_GET && method != MHD_HTTP_METHOD_HEAD) {
      return {.status = MHD_HTTP_METHOD_NOT_ALLOWED, .body = "only GET and HEAD are allowed here\n"};
    }
    return handler_(target->path);
  }

  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char* version, const char* /*upload*/, size_t* upload_size, void** /*state*/) {
    // A request body is not read, so the reply must end the connection.
    auto& impl = *static_cast<Impl*>(self);
    impl.daemon_.set_phase(connection, HttpPhase::kReply);
    HttpReply reply = impl.answer(connection, url, method, version);
    *upload_size = 0;
    MHD_Response* response =
        MHD_create_response_from_buffer(reply.body.size(), reply.body.data(), MHD_RESPMEM_MUST_COPY);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, reply.content_type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
    MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    const MHD_Result queued = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return queued;
  }

  static void on_completed(void* self, MHD_Connection* connection, void** /*state*/,
                           MHD_RequestTerminationCode /*code*/) {
    static_cast<Impl*>(self)->daemon_.set_phase(connection, HttpPhase::kHead);
  }

  const HttpHandler handler_;
  LoopDaemon daemon_;
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() = default;
uint16_t HttpServer::port() const { return impl_->port(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(EventLoop& loop, const HttpOptions& options,
                                                      HttpHandler handler) {
  auto fd = listen_http(options.address, options.port);
  if (!fd) return fd.error();
  auto impl = std::make_unique<Impl>(loop, std::move(handler), options);
  if (auto status = impl->start(fd->release(), options); !status) return status.error();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

Result<HttpOptions> parse_http_address(std::string_view text) {
  const auto bad = [text] {
    return Error(Code::kInvalidArgument,
                 fmt::format("HTTP address: got {}, expected ADDR:PORT, for example 127.0.0.1:9464", json_quote(text)));
  };
  HttpOptions options;
  std::string full(text);
  if (text.find(':') == std::string_view::npos) full = "localhost:" + full;
  if (text.starts_with(':')) full = "localhost" + full;
  const auto parsed = parse_host_port(full, 0, PortZero::kAllowed);
  // A numeric IPv6 address without a port parses, but the port is required here.
  const bool portless = full.ends_with(']') || (!full.starts_with('[') && std::ranges::count(full, ':') != 1);
  if (!parsed || portless) return bad();
  options.port = parsed->port;
  if (parsed->host != "localhost") options.address = parsed->host;
  if (!parse_socket_address(options.address, options.port)) return bad();
  return options;
}

HttpHandler own_pages(const Registry& registry, std::function<std::string()> trouble) {
  return [&registry, trouble = std::move(trouble)](std::string_view path) -> HttpReply {
    if (path == "/metrics") {
      return {.content_type = "text/plain; version=0.0.4; charset=utf-8", .body = registry.text()};
    }
    if (path == "/healthz") return {.body = "ok\n"};
    if (path == "/readyz") {
      const std::string text = trouble();
      if (text.empty()) return {.body = "ready\n"};
      return {.status = 503, .body = "not ready: " + text + "\n"};
    }
    return {.status = 404, .body = "not found; there are /metrics, /healthz and /readyz\n"};
  };
}

}  // namespace monitor::telemetry
