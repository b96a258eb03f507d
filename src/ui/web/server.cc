#include "ui/web/server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "telemetry/http/http_server.h"
#include "telemetry/http/loop_daemon.h"
#include "ui/web/exchange.h"
#include "ui/web/mhd_messages.h"
#include "ui/web/page_tls.h"
#include "ui/web/response_memory_limit.h"
#include "ui/web/shared_bytes.h"
#include "ui/web/stream_set.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kHeaderBytes = size_t{32} * 1024;
constexpr size_t kSmallBody = size_t{16} * 1024;
constexpr int64_t kRefreshTlsEvery = 2 * kNanosPerSecond;
constexpr double kShareOfDescriptors = 0.75;

// The bytes of a body that count towards the limit of all bodies. Small bodies are always accepted.
size_t counted(size_t body) { return body - std::min(body, kSmallBody); }

}  // namespace

class WebServer::Impl {
 public:
  Impl(EventLoop& loop, const ServerOptions& options, EventBroadcaster& broadcaster, telemetry::Registry& registry,
       Handler handler)
      : loop_(loop),
        options_(options),
        handler_(std::move(handler)),
        requests_(registry.counter("monitor_web_requests_total", "Requests answered.")),
        refused_(registry.counter("monitor_web_requests_refused_total", "Requests answered with a 4xx status.")),
        daemon_(loop, "web server",
                telemetry::within_descriptors({.connections = options.max_connections,
                                               .per_address = options.max_connections_per_address,
                                               .head_ns = options.head_ns,
                                               .idle_ns = options.stuck_ns,
                                               .lifetime_ns = options.request_ns},
                                              kShareOfDescriptors)),
        streams_(loop, options, broadcaster, daemon_, registry, [this](Exchange& exchange) { resume(exchange); }) {}

  ~Impl() {
    closing_ = true;
    loop_.cancel_timer(tls_timer_);
    streams_.close();
    daemon_.pause();
    for (auto& [token, exchange] : exchanges_) resume(*exchange);
    daemon_.end();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status start(WebServer* server, int fd) {
    server_ = server;
    if (Status loaded = load_tls(); !loaded) {
      close(fd);
      return loaded;
    }
    const unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET;
    std::array<MHD_OptionItem, 3> tls = {{{MHD_OPTION_END, 0, nullptr}}};
    if (tls_ != nullptr) {
      tls = {{{MHD_OPTION_HTTPS_CERT_CALLBACK, 0, reinterpret_cast<void*>(&PageTls::on_handshake)},
              {MHD_OPTION_HTTPS_PRIORITIES, 0, const_cast<char*>(PageTls::kPriorities)},
              {MHD_OPTION_END, 0, nullptr}}};
    }
    MHD_Daemon* const daemon = MHD_start_daemon(
        tls_ != nullptr ? flags | MHD_USE_TLS : flags, 0, nullptr, nullptr, &Impl::on_request, this, MHD_OPTION_ARRAY,
        tls.data(), MHD_OPTION_CONNECTION_LIMIT, daemon_.mhd_limit(), MHD_OPTION_CONNECTION_MEMORY_LIMIT, kHeaderBytes,
        MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(options_.stuck_ns / kNanosPerSecond),
        MHD_OPTION_NOTIFY_CONNECTION, &telemetry::LoopDaemon::on_connection, &daemon_, MHD_OPTION_NOTIFY_COMPLETED,
        &Impl::on_completed, this, MHD_OPTION_EXTERNAL_LOGGER, &telemetry::LoopDaemon::on_log, &daemon_,
        MHD_OPTION_UNESCAPE_CALLBACK, &unescape_uri, nullptr, MHD_OPTION_END);
    if (Status begun = daemon_.begin(daemon, fd); !begun) return begun;
    streams_.start();
    return {};
  }

  Status load_tls() {
    if (options_.tls_cert.empty()) return {};
    if (MHD_is_feature_supported(MHD_FEATURE_TLS) != MHD_YES) {
      return Error(Code::kUnimplemented, "TLS: this host's libmicrohttpd was built without it");
    }
    auto tls = PageTls::load(loop_.clock(), options_.tls_cert, options_.tls_key);
    if (!tls) return tls.error();
    tls_ = std::move(*tls);
    refresh_tls();
    return {};
  }

  void refresh_tls() {
    tls_->refresh();
    tls_timer_ = loop_.call_after(kRefreshTlsEvery, [this] { refresh_tls(); });
  }

  uint16_t port() const { return daemon_.port(); }
  void wake() { streams_.wake(); }

  void reply(uint64_t token, Reply reply) {
    const auto found = exchanges_.find(token);
    if (found == exchanges_.end()) return;
    found->second->reply = std::move(reply);
    resume(*found->second);
  }

  void stream(uint64_t token, StreamStart start) {
    const auto found = exchanges_.find(token);
    if (found == exchanges_.end()) return;
    if (auto refused = streams_.add(*found->second, std::move(start))) found->second->reply = std::move(refused);
    resume(*found->second);
  }

  // While a connection is suspended, libmicrohttpd does not look at its socket.
  bool gone(uint64_t token) const {
    const auto found = exchanges_.find(token);
    if (found == exchanges_.end()) return true;
    const MHD_ConnectionInfo* const info =
        MHD_get_connection_info(found->second->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info == nullptr) return false;
    pollfd socket{.fd = info->connect_fd, .events = POLLRDHUP, .revents = 0};
    return poll(&socket, 1, 0) == 1 && (socket.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
  }

 private:
  void run_soon() {
    if (closing_ || run_due_) return;
    run_due_ = true;
    loop_.at_turn_end([this] {
      run_due_ = false;
      daemon_.run();
    });
  }

  void resume(Exchange& exchange) {
    if (!exchange.suspended) return;
    exchange.suspended = exchange.waiting = false;
    MHD_resume_connection(exchange.connection);
    run_soon();
  }

  // libmicrohttpd calls this once when a request's headers are complete, for each part of its body, and once at its
  // end.
  static MHD_Result on_request(void* self, MHD_Connection* connection, const char* url, const char* method,
                               const char* version, const char* upload, size_t* upload_size, void** state) {
    Impl& impl = *static_cast<Impl*>(self);
    if (*state == nullptr) {
      *state = impl.begin(connection, url, method, version);
      return MHD_YES;
    }
    Exchange& exchange = *static_cast<Exchange*>(*state);
    if (*upload_size > 0) {
      impl.take_body(exchange, {upload, *upload_size});
      *upload_size = 0;
      return MHD_YES;
    }
    return impl.answer(exchange);
  }

  Exchange* begin(MHD_Connection* connection, const char* url, const char* method, const char* version) {
    daemon_.set_phase(connection, telemetry::HttpPhase::kBody);
    auto exchange = std::make_unique<Exchange>();
    exchange->connection = connection;
    exchange->token = ++last_token_;
    exchange->request = read_request(connection, url, method, version, daemon_.peer_of(connection));
    return exchanges_.emplace(exchange->token, std::move(exchange)).first->second.get();
  }

  // A body beyond a limit is read to its end without storing it, because the client gets the reply only after it has
  // sent everything.
  void take_body(Exchange& exchange, std::string_view bytes) {
    std::string& body = exchange.request.body;
    if (body.size() + bytes.size() > options_.max_body_bytes) {
      exchange.body_too_large = true;
    } else if (!bodies_.take(exchange.request.address_group,
                             counted(body.size() + bytes.size()) - counted(body.size()))) {
      exchange.bodies_full = true;
    } else {
      body.append(bytes);
    }
  }

  MHD_Result answer(Exchange& exchange) {
    if (!exchange.handled) {
      handle(exchange);
      if (!exchange.reply && !exchange.streaming) {
        exchange.suspended = true;
        MHD_suspend_connection(exchange.connection);
        return MHD_YES;
      }
    }
    if (exchange.streaming) return send_stream(exchange);
    return exchange.reply ? send_reply(exchange) : MHD_YES;
  }

  void handle(Exchange& exchange) {
    exchange.handled = true;
    daemon_.set_phase(exchange.connection, telemetry::HttpPhase::kBusy);
    if (!exchange.request.fault.empty()) {
      exchange.reply = error_reply(400, exchange.request.fault);
    } else if (exchange.body_too_large) {
      exchange.reply = error_reply(413, fmt::format("body: got more than {} bytes", options_.max_body_bytes));
    } else if (exchange.bodies_full) {
      exchange.reply = error_reply(503, "body: too many large requests at once; try again in a moment");
    } else {
      handler_(exchange.request, Responder(server_, exchange.token));
    }
  }

  MHD_Result send_reply(Exchange& exchange) {
    if (exchange.reply->body && !replies_.add(*exchange.reply->body)) {
      exchange.reply = error_reply(503, "too many large replies are being sent; try again in a moment");
      replies_.add(*exchange.reply->body);
    }
    exchange.counted = exchange.reply->body != nullptr;
    daemon_.set_phase(exchange.connection, telemetry::HttpPhase::kReply);
    requests_.add();
    if (exchange.reply->status >= 400 && exchange.reply->status < 500) refused_.add();
    return queue_reply(exchange.connection, *exchange.reply, tls_ != nullptr);  // lives until on_completed()
  }

  MHD_Result send_stream(Exchange& exchange) {
    requests_.add();
    return streams_.send_headers(exchange);
  }

  static void on_completed(void* self, MHD_Connection* connection, void** state, MHD_RequestTerminationCode code) {
    auto* const exchange = static_cast<Exchange*>(*state);
    if (exchange == nullptr) return;
    Impl& impl = *static_cast<Impl*>(self);
    impl.daemon_.set_phase(connection, telemetry::HttpPhase::kHead);
    if (exchange->streaming) impl.streams_.remove(*exchange, code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED);
    *state = nullptr;
    impl.bodies_.give_back(exchange->request.address_group, counted(exchange->request.body.size()));
    if (exchange->counted) impl.replies_.remove(*exchange->reply->body);
    impl.exchanges_.erase(exchange->token);
  }

  EventLoop& loop_;
  const ServerOptions options_;
  const Handler handler_;
  telemetry::Counter& requests_;
  telemetry::Counter& refused_;
  WebServer* server_ = nullptr;
  std::unique_ptr<PageTls> tls_;  // outlives the daemon, whose handshakes use it
  EventLoop::TimerId tls_timer_ = 0;
  telemetry::LoopDaemon daemon_;
  StreamSet streams_;
  bool closing_ = false;
  bool run_due_ = false;
  uint64_t last_token_ = 0;
  SharedBytes bodies_{options_.max_bodies_bytes};
  ResponseMemoryLimit replies_{options_.max_replies_bytes};
  std::unordered_map<uint64_t, std::unique_ptr<Exchange>> exchanges_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;
uint16_t WebServer::port() const { return impl_->port(); }
void WebServer::wake() { impl_->wake(); }
void WebServer::reply(uint64_t token, Reply reply) { impl_->reply(token, std::move(reply)); }
void WebServer::stream(uint64_t token, StreamStart start) { impl_->stream(token, std::move(start)); }
bool WebServer::gone(uint64_t token) const { return impl_->gone(token); }

Result<std::unique_ptr<WebServer>> WebServer::start(EventLoop& loop, const ServerOptions& options,
                                                    EventBroadcaster& broadcaster, telemetry::Registry& registry,
                                                    Handler handler) {
  auto fd = telemetry::listen_http(options.address, options.port);
  if (!fd) return fd.error();
  std::unique_ptr<WebServer> server(
      new WebServer(std::make_unique<Impl>(loop, options, broadcaster, registry, std::move(handler))));
  if (auto status = server->impl_->start(server.get(), fd->release()); !status) return status.error();
  broadcaster.on_event([web = server.get()] { web->wake(); });
  return server;
}

}  // namespace monitor::analysis::web
