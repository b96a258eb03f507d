#include "ui/web/server.h"

#include <fmt/format.h>
#include <microhttpd.h>
#include <poll.h>

#include <algorithm>
#include <atomic>
#include <unordered_map>
#include <utility>

#include "base/log.h"
#include "base/text.h"
#include "telemetry/http/host_header.h"
#include "telemetry/http/http_server.h"
#include "telemetry/http/loop_daemon.h"
#include "ui/web/held_replies.h"
#include "ui/web/shared_bytes.h"

namespace monitor::analysis::web {

namespace {

constexpr size_t kStreamBlock = size_t{64} * 1024;
constexpr size_t kHeaderBytes = size_t{32} * 1024;
constexpr size_t kSmallBody = size_t{16} * 1024;
// Events that come closer together go out together.
constexpr int64_t kGatherNs = 25 * kNanosPerMilli;
constexpr double kShareOfDescriptors = 0.75;
constexpr int64_t kLookForGone = 1 * kNanosPerSecond;
// A comment would do for proxies; a page is told of events alone, and must know that the connection lives.
constexpr std::string_view kAlive = "event: alive\ndata: {}\n\n";
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

std::string header(MHD_Connection* connection, const char* name) {
  const char* const value = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string() : std::string(value);
}

MHD_Result add_parameter(void* list, MHD_ValueKind /*kind*/, const char* name, const char* value) {
  static_cast<Parameters*>(list)->emplace_back(name, value == nullptr ? "" : value);
  return MHD_YES;
}

// Of a body's bytes, those for which there may be no room: a small one is taken always.
size_t counted(size_t body) { return body - std::min(body, kSmallBody); }

size_t unescape_uri(void* /*self*/, MHD_Connection* /*connection*/, char* text) { return unescape(text); }

void add_headers(MHD_Response* response, const Reply& reply) {
  MHD_add_response_header(response, "Content-Type", reply.content_type.c_str());
  MHD_add_response_header(response, "Cache-Control", reply.keep ? "public, max-age=31536000, immutable" : "no-store");
  MHD_add_response_header(response, "Content-Security-Policy", kPolicy);
  MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
  MHD_add_response_header(response, "X-Frame-Options", "DENY");
  MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
  MHD_add_response_header(response, "Cross-Origin-Opener-Policy", "same-origin");
  MHD_add_response_header(response, "Cross-Origin-Resource-Policy", "same-origin");
  if (!reply.allow.empty()) MHD_add_response_header(response, "Allow", reply.allow.c_str());
  if (reply.status == MHD_HTTP_UNAUTHORIZED) MHD_add_response_header(response, "WWW-Authenticate", "Bearer");
  const int retry_s =
      reply.retry_after_s == 0 && reply.status == MHD_HTTP_SERVICE_UNAVAILABLE ? 2 : reply.retry_after_s;
  if (retry_s > 0) MHD_add_response_header(response, "Retry-After", std::to_string(retry_s).c_str());
}

}  // namespace

class WebServer::Impl {
 public:
  Impl(EventLoop& loop, const ServerOptions& options, Hub& hub, telemetry::Registry& registry, Handler handler)
      : loop_(loop),
        options_(options),
        hub_(hub),
        handler_(std::move(handler)),
        requests_(registry.counter("monitor_web_requests_total", "Requests that were answered.")),
        refused_(
            registry.counter("monitor_web_requests_refused_total", "Requests answered with an error of the client.")),
        streams_(registry.gauge("monitor_web_streams", "Browsers that follow events.")),
        resets_(registry.counter("monitor_web_stream_resets_total",
                                 "Browsers that were too slow, or away for too long, and were told to begin anew.")),
        cut_(registry.counter("monitor_web_streams_cut_total", "Streams closed because nothing moved on them.")),
        daemon_(loop, "web server",
                telemetry::within_descriptors({.connections = options.max_connections,
                                               .per_address = options.max_connections_per_address,
                                               .head_ns = options.head_ns,
                                               .idle_ns = options.stuck_ns,
                                               .lifetime_ns = options.request_ns},
                                              kShareOfDescriptors)),
        // Streams make way for nobody: the rest is for requests.
        max_streams_(std::min(options.max_streams, daemon_.connections() * 2 / 3)),
        max_streams_per_address_(std::min(options.max_streams_per_address, daemon_.connections() / 2)) {}

  ~Impl() {
    closing_ = true;
    loop_.cancel_timer(ping_timer_);
    loop_.cancel_timer(gone_timer_);
    loop_.cancel_timer(gather_timer_);
    daemon_.pause();
    for (auto& [token, exchange] : exchanges_) resume(*exchange);
    daemon_.end();
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Status start(WebServer* server, int fd) {
    server_ = server;
    MHD_Daemon* const daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_NO_LISTEN_SOCKET, 0, nullptr, nullptr, &Impl::on_request,
        this, MHD_OPTION_CONNECTION_LIMIT, daemon_.mhd_limit(), MHD_OPTION_CONNECTION_MEMORY_LIMIT, kHeaderBytes,
        MHD_OPTION_CONNECTION_TIMEOUT, static_cast<unsigned>(options_.stuck_ns / kNanosPerSecond),
        MHD_OPTION_NOTIFY_CONNECTION, &telemetry::LoopDaemon::on_connection, &daemon_, MHD_OPTION_NOTIFY_COMPLETED,
        &Impl::on_completed, this, MHD_OPTION_EXTERNAL_LOGGER, &telemetry::LoopDaemon::on_log, &daemon_,
        MHD_OPTION_UNESCAPE_CALLBACK, &unescape_uri, nullptr, MHD_OPTION_END);
    if (Status begun = daemon_.begin(daemon, fd); !begun) return begun;
    ping();
    look_for_gone();
    return {};
  }

  uint16_t port() const { return daemon_.port(); }

  void wake() {
    if (woken_.exchange(true)) return;
    loop_.post([this] {
      if (gather_timer_ != 0) return;
      gather_timer_ = loop_.call_after(kGatherNs, [this] {
        gather_timer_ = 0;
        woken_ = false;
        resume_streams();
      });
    });
  }

  void reply(uint64_t token, Reply reply) {
    const auto found = exchanges_.find(token);
    if (found == exchanges_.end()) return;
    found->second->reply = std::move(reply);
    resume(*found->second);
  }

  void stream(uint64_t token, StreamStart start) {
    const auto found = exchanges_.find(token);
    if (found == exchanges_.end()) return;
    Exchange& exchange = *found->second;
    if (stream_count_ - leaving_ >= max_streams_ && !make_way_for(exchange)) {
      reply(token, error_reply(503, fmt::format("{} browsers follow already", stream_count_)));
      return;
    }
    if (const size_t held = daemon_.streams_of(exchange.request.address_group); held >= max_streams_per_address_) {
      Reply refused = error_reply(429, fmt::format("{} browsers of this address follow already", held));
      refused.retry_after_s = 2;
      reply(token, std::move(refused));
      return;
    }
    daemon_.set_phase(exchange.connection, telemetry::HttpPhase::kStream);
    exchange.streaming = true;
    exchange.start = std::move(start);
    // The browser comes back after 1 s, to this place if nothing else came; and proxies let the first bytes through at
    // once.
    exchange.out = fmt::format("retry: 1000\nid: {}\n{}", hub_.id(exchange.start.place), kAlive);
    if (exchange.start.reset) say_reset(exchange);
    count_streams(1);
    resume(exchange);
  }

 private:
  struct Exchange {
    Impl* impl = nullptr;
    MHD_Connection* connection = nullptr;
    uint64_t token = 0;
    Request request;
    bool too_large = false;
    bool too_many = false;
    bool handled = false;
    bool suspended = false;
    std::optional<Reply> reply;
    bool held = false;  // its body counts as being sent
    bool streaming = false;
    StreamStart start;
    std::string out;
    size_t out_at = 0;
    bool gone = false;     // a stream whose client has closed it
    bool waiting = false;  // a stream that is suspended because there was nothing to say
  };

  void say_reset(Exchange& exchange) {
    resets_.add();
    exchange.out += fmt::format("id: {}\nevent: reset\ndata: {{}}\n\n", hub_.id(exchange.start.place));
  }

  void let_go(Exchange& exchange) {
    daemon_.cut(exchange.connection);
    exchange.gone = true;
    ++leaving_;
    resume(exchange);
  }

  // All streams are taken: the oldest one of the address that holds most goes, unless the new one's own holds as many.
  // So nobody keeps others out by holding all, and browsers that were first stay among equals.
  bool make_way_for(const Exchange& newcomer) {
    std::unordered_map<std::string, std::pair<size_t, Exchange*>> held;  // how many, and the oldest
    for (auto& [token, exchange] : exchanges_) {
      if (!exchange->streaming || exchange->gone) continue;
      auto& [count, oldest] = held[exchange->request.address_group];
      ++count;
      if (oldest == nullptr || exchange->token < oldest->token) oldest = exchange.get();
    }
    const auto most = std::ranges::max_element(held, {}, [](const auto& one) { return one.second.first; });
    if (most == held.end()) return false;
    const auto own = held.find(newcomer.request.address_group);
    if (most->second.first <= (own == held.end() ? 0 : own->second.first) + 1) return false;
    log_warning("a browser's stream made way for one of another address",
                {{"address", most->first}, {"held", most->second.first}});
    let_go(*most->second.second);
    return true;
  }

  void count_streams(int change) {
    stream_count_ += static_cast<size_t>(change);
    streams_.set(static_cast<double>(stream_count_));
    hub_.set_followers(stream_count_);
  }

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

  void resume_streams() {
    for (auto& [token, exchange] : exchanges_) {
      if (!exchange->waiting) continue;
      // Most events concern most streams not at all.
      fill(*exchange);
      if (exchange->out_at < exchange->out.size()) resume(*exchange);
    }
  }

  void ping() {
    for (auto& [token, exchange] : exchanges_) {
      if (!exchange->waiting) continue;
      exchange->out += kAlive;
      resume(*exchange);
    }
    ping_timer_ = loop_.call_after(options_.ping_ns, [this] { ping(); });
  }

  // A stream is suspended while there is nothing to say: nobody sees that its client has closed it, and it holds a
  // place until something is written to it.
  void look_for_gone() {
    for (auto& [token, exchange] : exchanges_) {
      if (!exchange->waiting) continue;
      const int fd = MHD_get_connection_info(exchange->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
      pollfd gone{.fd = fd, .events = POLLRDHUP, .revents = 0};
      if (poll(&gone, 1, 0) <= 0) continue;
      let_go(*exchange);
    }
    gone_timer_ = loop_.call_after(kLookForGone, [this] { look_for_gone(); });
  }

  void fill(Exchange& exchange) {
    if (exchange.out_at < exchange.out.size()) return;
    exchange.out.clear();
    exchange.out_at = 0;
    const Hub::Taken taken = hub_.take(exchange.start.place, exchange.start.topics, kStreamBlock, exchange.out);
    exchange.start.place = taken.place;
    if (taken.lost) say_reset(exchange);
  }

  static ssize_t on_read(void* self, uint64_t /*position*/, char* buffer, size_t max) {
    Exchange& exchange = *static_cast<Exchange*>(self);
    Impl& impl = *exchange.impl;
    if (impl.closing_) return MHD_CONTENT_READER_END_OF_STREAM;
    if (exchange.gone) return MHD_CONTENT_READER_END_WITH_ERROR;
    impl.fill(exchange);
    const size_t size = std::min(max, exchange.out.size() - exchange.out_at);
    if (size == 0) {
      exchange.suspended = exchange.waiting = true;
      MHD_suspend_connection(exchange.connection);
      return 0;
    }
    exchange.out.copy(buffer, size, exchange.out_at);
    exchange.out_at += size;
    return static_cast<ssize_t>(size);
  }

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

  // What is too much is read to its end all the same, and not kept.
  void take_body(Exchange& exchange, std::string_view bytes) {
    std::string& body = exchange.request.body;
    if (body.size() + bytes.size() > options_.max_body_bytes) {
      exchange.too_large = true;
    } else if (!bodies_.take(exchange.request.address_group,
                             counted(body.size() + bytes.size()) - counted(body.size()))) {
      exchange.too_many = true;
    } else {
      body.append(bytes);
    }
  }

  Exchange* begin(MHD_Connection* connection, const char* url, const char* method, const char* version) {
    daemon_.set_phase(connection, telemetry::HttpPhase::kBody);
    auto exchange = std::make_unique<Exchange>();
    exchange->impl = this;
    exchange->connection = connection;
    exchange->token = ++last_token_;
    Request& request = exchange->request;
    request.method = method;
    if (auto target = telemetry::request_target(telemetry::host_headers(connection), version, url)) {
      request.host = std::move(target->host);
      request.path = std::move(target->path);
    } else {
      request.fault = target.error().message();
    }
    MHD_get_connection_values(connection, MHD_GET_ARGUMENT_KIND, &add_parameter, &request.parameters);
    const telemetry::PeerAddress peer = daemon_.peer_of(connection);
    request.address = peer.text;
    request.address_group = peer.group;
    request.forwarded_for = header(connection, "X-Forwarded-For");
    request.origin = header(connection, "Origin");
    request.site = header(connection, "Sec-Fetch-Site");
    request.authorization = header(connection, "Authorization");
    request.last_event_id = header(connection, "Last-Event-ID");
    return exchanges_.emplace(exchange->token, std::move(exchange)).first->second.get();
  }

  MHD_Result answer(Exchange& exchange) {
    if (!exchange.handled) {
      exchange.handled = true;
      daemon_.set_phase(exchange.connection, telemetry::HttpPhase::kBusy);
      if (!exchange.request.fault.empty()) {
        exchange.reply = error_reply(400, exchange.request.fault);
      } else if (exchange.too_large) {
        exchange.reply = error_reply(413, fmt::format("body: more than {} bytes", options_.max_body_bytes));
      } else if (exchange.too_many) {
        exchange.reply = error_reply(503, "too much is sent at once; try again in a moment");
      } else {
        handler_(exchange.request, Responder(server_, exchange.token));
      }
      if (!exchange.reply && !exchange.streaming) {
        exchange.suspended = true;
        MHD_suspend_connection(exchange.connection);
        return MHD_YES;
      }
    }
    if (exchange.streaming) return begin_stream(exchange);
    return exchange.reply ? queue(exchange) : MHD_YES;
  }

  MHD_Result queue(Exchange& exchange) {
    if (exchange.reply->body && !replies_.hold(*exchange.reply->body)) {
      exchange.reply = error_reply(503, "too much is being sent at once; try again in a moment");
      replies_.hold(*exchange.reply->body);
    }
    exchange.held = exchange.reply->body != nullptr;
    const Reply& reply = *exchange.reply;
    daemon_.set_phase(exchange.connection, telemetry::HttpPhase::kReply);
    requests_.add();
    if (reply.status >= 400 && reply.status < 500) refused_.add();
    static const std::string kNothing;
    const std::string& body = reply.body ? *reply.body : kNothing;
    // The bytes live in the exchange until it is completed.
    MHD_Response* const response =
        MHD_create_response_from_buffer(body.size(), const_cast<char*>(body.data()), MHD_RESPMEM_PERSISTENT);
    if (response == nullptr) return MHD_NO;
    add_headers(response, reply);
    const MHD_Result queued = MHD_queue_response(exchange.connection, reply.status, response);
    MHD_destroy_response(response);
    return queued;
  }

  MHD_Result begin_stream(Exchange& exchange) {
    requests_.add();
    MHD_Response* const response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, kStreamBlock / 4, &Impl::on_read, &exchange, nullptr);
    if (response == nullptr) return MHD_NO;
    add_headers(response, {.content_type = "text/event-stream", .body = nullptr});
    MHD_add_response_header(response, "X-Accel-Buffering", "no");
    const MHD_Result queued = MHD_queue_response(exchange.connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return queued;
  }

  static void on_completed(void* self, MHD_Connection* connection, void** state, MHD_RequestTerminationCode code) {
    auto* const exchange = static_cast<Exchange*>(*state);
    if (exchange == nullptr) return;
    Impl& impl = *static_cast<Impl*>(self);
    impl.daemon_.set_phase(connection, telemetry::HttpPhase::kHead);
    if (exchange->streaming) {
      impl.count_streams(-1);
      if (exchange->gone) --impl.leaving_;
      if (code == MHD_REQUEST_TERMINATED_TIMEOUT_REACHED) impl.cut_.add();
    }
    *state = nullptr;
    impl.bodies_.give_back(exchange->request.address_group, counted(exchange->request.body.size()));
    if (exchange->held) impl.replies_.let_go(*exchange->reply->body);
    impl.exchanges_.erase(exchange->token);
  }

  EventLoop& loop_;
  const ServerOptions options_;
  Hub& hub_;
  const Handler handler_;
  telemetry::Counter& requests_;
  telemetry::Counter& refused_;
  telemetry::Gauge& streams_;
  telemetry::Counter& resets_;
  telemetry::Counter& cut_;
  WebServer* server_ = nullptr;
  telemetry::LoopDaemon daemon_;
  const size_t max_streams_;
  const size_t max_streams_per_address_;
  bool closing_ = false;
  bool run_due_ = false;
  uint64_t last_token_ = 0;
  size_t stream_count_ = 0;
  size_t leaving_ = 0;  // of them: told to end
  SharedBytes bodies_{options_.max_bodies_bytes};
  HeldReplies replies_{options_.max_replies_bytes};
  EventLoop::TimerId ping_timer_ = 0;
  EventLoop::TimerId gather_timer_ = 0;
  EventLoop::TimerId gone_timer_ = 0;
  std::atomic<bool> woken_ = false;
  std::unordered_map<uint64_t, std::unique_ptr<Exchange>> exchanges_;
};

WebServer::WebServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebServer::~WebServer() = default;
uint16_t WebServer::port() const { return impl_->port(); }
void WebServer::wake() { impl_->wake(); }
void WebServer::reply(uint64_t token, Reply reply) { impl_->reply(token, std::move(reply)); }
void WebServer::stream(uint64_t token, StreamStart start) { impl_->stream(token, std::move(start)); }

Result<std::unique_ptr<WebServer>> WebServer::start(EventLoop& loop, const ServerOptions& options, Hub& hub,
                                                    telemetry::Registry& registry, Handler handler) {
  const auto fd = telemetry::listen_on(options.address, options.port);
  if (!fd) return fd.error();
  std::unique_ptr<WebServer> server(
      new WebServer(std::make_unique<Impl>(loop, options, hub, registry, std::move(handler))));
  if (auto status = server->impl_->start(server.get(), *fd); !status) return status.error();
  hub.on_event([web = server.get()] { web->wake(); });
  return server;
}

}  // namespace monitor::analysis::web
