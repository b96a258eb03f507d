#include "outputs/stream/uplink.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"

namespace monitor::agent {

namespace {

constexpr std::string_view kMethod = "/monitor.v1.Ingest/Publish";
constexpr int64_t kBackoffBase = 100 * kNanosPerMilli;
constexpr int64_t kBackoffCap = 10 * kNanosPerSecond;
// A server that takes the connection but never answers Hello is as good as none.
constexpr int64_t kHelloTimeout = 10 * kNanosPerSecond;
// Our servers allow a ping every 10 s.
constexpr int64_t kPingInterval = 10 * kNanosPerSecond;
constexpr int64_t kPingTimeout = 10 * kNanosPerSecond;
// The server says so each minute while it lasts.
constexpr int64_t kConflictLasts = 150 * kNanosPerSecond;
// More than this is not handed to the transport: it would only wait there, out of the spool's sight.
constexpr size_t kMaxUnsent = size_t{256} * 1024;

}  // namespace

grpc::ClientSessionOptions uplink_session_options() {
  grpc::ClientSessionOptions options{.authority = ""};
  options.keepalive_interval_ns = kPingInterval;
  options.keepalive_timeout_ns = kPingTimeout;
  return options;
}

Uplink::Uplink(Timers& timers, Connector connector, Random& random, stream::BatchSource& source, UplinkOptions options)
    : timers_(timers),
      connector_(std::move(connector)),
      source_(source),
      options_(std::move(options)),
      backoff_(random, kBackoffBase, kBackoffCap) {
  auto& servers = options_.servers;
  for (size_t i = servers.size(); i > 1; --i) std::swap(servers[i - 1], servers[random.below(i)]);
}

Uplink::~Uplink() {
  stopped_ = true;
  timers_.cancel_timer(retry_timer_);
  timers_.cancel_timer(conflict_timer_);
  end_stream();
}

void Uplink::start() { connect(); }

std::string Uplink::server_name() const {
  const grpc::Target& server = options_.servers[server_];
  return fmt::format("{}:{}", server.host, server.port);
}

void Uplink::connect() {
  retry_timer_ = 0;
  connection_ = connector_(options_.servers[server_]);
  sender_.emplace(options_.hello, source_);
  call_ = connection_->start(kMethod, {}, *this);
  hello_timer_ = timers_.call_after(kHelloTimeout, [this] {
    hello_timer_ = 0;
    if (connected_) return;
    end_stream();
    retry(fmt::format("no answer to Hello within {} s", kHelloTimeout / kNanosPerSecond));
  });
  pump();
}

void Uplink::end_stream() {
  timers_.cancel_timer(std::exchange(hello_timer_, 0));
  if (sender_) sender_->close();
  sender_.reset();
  call_.reset();
  connection_.reset();
  connected_ = false;
}

void Uplink::retry(const std::string& why) {
  if (stopped_) return;
  ++failures_;
  last_error_ = why;
  const int64_t wait = backoff_.next_ns();
  log_warning("no stream to the server; batches are kept, trying again",
              {{"server", server_name()}, {"reason", why}, {"wait_ms", wait / kNanosPerMilli}});
  server_ = (server_ + 1) % options_.servers.size();
  retry_timer_ = timers_.call_after(wait, [this] { connect(); });
  maybe_drained();
}

void Uplink::wake() { pump(); }

void Uplink::pump() {
  if (!call_ || !sender_) return;
  while (call_->unsent_bytes() < kMaxUnsent) {
    const auto message = sender_->next();
    if (!message) break;
    call_->write(*message);
  }
}

void Uplink::on_message(std::string_view message) {
  const Status status = sender_->receive(message);
  if (!status) {
    const std::string why = status.error().message();
    end_stream();
    retry(why);
    return;
  }
  if (sender_->established() && !connected_) {
    connected_ = true;
    last_error_.clear();
    ++connects_;
    log_info("stream to the server established", {{"server", server_name()}, {"version", sender_->server_version()}});
  }
  if (const auto notice = sender_->take_notice()) take_notice(*notice);
  if (sender_->acknowledged_any()) backoff_.reset();
  if (sender_->finished()) {
    // The server wants to go; all that it had is answered.
    log_info("server drains; going to the next", {{"server", server_name()}});
    call_->half_close();
  }
  pump();
  maybe_drained();
}

void Uplink::take_notice(const stream::Notice& notice) {
  if (notice.code != stream::Notice::kAgentIdConflict) {
    log_info("notice of the server", {{"code", notice.code}, {"text", notice.text}});
    return;
  }
  log_warning("agent_id_conflict",
              {{"agent", options_.hello.agent_id}, {"server", server_name()}, {"text", notice.text}});
  ++conflicts_told_;
  const bool news = conflict_ != notice.text;
  conflict_ = notice.text;
  timers_.cancel_timer(conflict_timer_);
  conflict_timer_ = timers_.call_after(kConflictLasts, [this] {
    conflict_timer_ = 0;
    conflict_.clear();
    if (on_warning_) on_warning_();
  });
  if (news && on_warning_) on_warning_();
}

void Uplink::on_done(const grpc::CallStatus& status, const grpc::Metadata&) {
  const std::string why = status.code == Code::kOk ? "the server ended the stream"
                                                   : fmt::format("{}: {}", code_name(status.code), status.message);
  end_stream();
  retry(why);
}

void Uplink::drain(std::function<void()> done) {
  drained_ = std::move(done);
  pump();
  maybe_drained();
}

void Uplink::maybe_drained() {
  if (!drained_) return;
  const bool streaming = connected_ && sender_;
  if (streaming && sender_->in_flight() > 0 && !sender_->draining()) return;
  auto done = std::exchange(drained_, nullptr);
  timers_.call_after(0, std::move(done));
}

OutputState Uplink::state() const {
  OutputState state{connected_, "", conflict_, sender_ ? sender_->in_flight() : 0};
  if (!connected_) state.problem = "no stream to a server: " + last_error_;
  return state;
}

std::vector<OutputMetric> Uplink::metrics() const {
  using Kind = OutputMetric::Kind;
  return {{"id_conflict", "1 while a server reports another run under this agent's id", Kind::kGauge,
           conflict_.empty() ? 0U : 1U},
          {"id_conflicts_told_total", "Reports by a server of another run under this agent's id", Kind::kCounter,
           conflicts_told_},
          {"connected", "1 while a server answers", Kind::kGauge, connected_ ? 1U : 0U},
          {"connects_total", "Streams established", Kind::kCounter, connects_},
          {"connection_failures_total", "Streams that ended or could not be established", Kind::kCounter, failures_}};
}

}  // namespace monitor::agent
