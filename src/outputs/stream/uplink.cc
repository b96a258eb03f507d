#include "outputs/stream/uplink.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"

namespace monitor::agent {

namespace {

constexpr int64_t kHelloTimeout = 10 * kNanosPerSecond;
// Our servers allow a ping every 10 s.
constexpr int64_t kPingInterval = 10 * kNanosPerSecond;
constexpr int64_t kPingTimeout = 10 * kNanosPerSecond;
// The server repeats its report every minute while it holds.
constexpr int64_t kReportLasts = 150 * kNanosPerSecond;

// Spreads the agents of a fleet over its servers.
std::vector<HostPort> shuffled(std::vector<HostPort> servers, Random& random) {
  for (size_t i = servers.size(); i > 1; --i) std::swap(servers[i - 1], servers[random.below(i)]);
  return servers;
}

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
      servers_(shuffled(std::move(options.servers), random)),
      certificate_(std::move(options.certificate)),
      client_(timers, random, source, std::move(options.hello), kHelloTimeout, *this) {}

Uplink::~Uplink() {
  timers_.cancel_timer(conflict_.timer);
  timers_.cancel_timer(limited_.timer);
}

std::string Uplink::server_name() const {
  const HostPort& server = servers_[server_];
  return fmt::format("{}:{}", server.host, server.port);
}

void Uplink::on_established(const stream::Sender& sender) {
  last_error_.clear();
  set_refusal("");
  server_drained_ = false;
  ++connects_;
  log_info(
      "stream to the server established",
      {{"server", server_name()}, {"version", sender.server_version()}, {"payload", sender.takes_payload(2) ? 2 : 1}});
}

void Uplink::on_failed(const Error& why, int64_t wait_ns) {
  const int64_t wait_ms = wait_ns / kNanosPerMilli;
  if (std::exchange(server_drained_, false)) {
    // Every batch of the stream has its answer: nothing has failed.
    last_error_ = "the server asked to connect again";
  } else if (why.code() == Code::kPermissionDenied || why.code() == Code::kUnauthenticated) {
    ++failures_;
    last_error_ = why.message();
    // Somebody must fix this, here or at the server. The agent keeps trying, so that it needs no restart then.
    log_error("the server refuses this agent; batches are kept; retrying",
              {{"agent", client_.hello().agent_id}, {"server", server_name()}, {"reason", why}, {"wait_ms", wait_ms}});
    set_refusal(fmt::format("{} refuses this agent: {}", server_name(), why.message()));
  } else {
    ++failures_;
    last_error_ = why.message();
    log_warning("no stream to the server; batches are kept; retrying",
                {{"server", server_name()}, {"reason", why}, {"wait_ms", wait_ms}});
  }
  server_ = (server_ + 1) % servers_.size();
  maybe_drained();
}

void Uplink::set_refusal(std::string text) {
  if (refusal_ == text) return;
  refusal_ = std::move(text);
  if (on_warning_) on_warning_();
}

void Uplink::on_server_drained() {
  server_drained_ = true;
  log_info("the server ends the stream in good order; connecting to the next one", {{"server", server_name()}});
}

void Uplink::on_notice(const stream::Notice& notice) {
  const bool conflict = notice.code == stream::Notice::kAgentIdConflict;
  if (!conflict && notice.code != stream::Notice::kLimited) {
    log_info("notice from the server", {{"code", notice.code}, {"text", notice.text}});
    return;
  }
  log_warning(conflict ? "agent_id_conflict" : "agent_limited",
              {{"agent", client_.hello().agent_id}, {"server", server_name()}, {"text", notice.text}});
  take(conflict ? conflict_ : limited_, notice.text);
}

void Uplink::take(Report& report, const std::string& text) {
  ++report.told;
  const bool news = report.text != text;
  report.text = text;
  timers_.cancel_timer(report.timer);
  report.timer = timers_.call_after(kReportLasts, [this, &report] {
    report.timer = 0;
    report.text.clear();
    if (on_warning_) on_warning_();
  });
  if (news && on_warning_) on_warning_();
}

void Uplink::drain(std::function<void()> done) {
  drained_ = std::move(done);
  client_.pump();
  maybe_drained();
}

void Uplink::maybe_drained() {
  if (!drained_) return;
  if (client_.established() && client_.in_flight() > 0 && !client_.draining()) return;
  auto done = std::exchange(drained_, nullptr);
  timers_.call_after(0, std::move(done));
}

OutputState Uplink::state() const {
  std::string warning = refusal_.empty() ? conflict_.text : refusal_;
  if (!warning.empty() && !limited_.text.empty()) warning += "; ";
  OutputState state{client_.established(), "", warning + limited_.text, client_.in_flight(), !refusal_.empty()};
  if (certificate_) state.certificate = certificate_();
  if (!state.ready)
    state.problem = last_error_.empty() ? "no stream to a server yet" : "no stream to a server: " + last_error_;
  return state;
}

std::vector<OutputMetric> Uplink::metrics() const {
  using Kind = OutputMetric::Kind;
  std::vector<OutputMetric> all = {
      {"id_conflict", "1 while a server reports another run under this agent's id", Kind::kGauge,
       conflict_.text.empty() ? 0U : 1U},
      {"id_conflicts_told_total", "Reports by a server of another run under this agent's id", Kind::kCounter,
       conflict_.told},
      {"limited", "1 while the server slows this agent because it exceeds a limit", Kind::kGauge,
       limited_.text.empty() ? 0U : 1U},
      {"batches_converted_total", "Batches of payload v2 that were sent as v1 to an older server", Kind::kCounter,
       client_.converted()},
      {"connected", "1 while a server answers", Kind::kGauge, client_.established() ? 1U : 0U},
      {"connects_total", "Streams established", Kind::kCounter, connects_},
      {"connection_failures_total", "Streams that ended or could not be established", Kind::kCounter, failures_}};
  const int64_t expiry_s = certificate_ ? certificate_().until_s : 0;
  if (expiry_s > 0) {
    all.push_back({"certificate_expiry_timestamp_seconds", "When the agent's certificate expires", Kind::kGauge,
                   static_cast<uint64_t>(expiry_s)});
  }
  return all;
}

}  // namespace monitor::agent
