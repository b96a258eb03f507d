#include "doctor/real/real_peers.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <optional>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/text.h"
#include "doctor/http_answer.h"
#include "doctor/real/connection.h"
#include "doctor/real/run_program.h"
#include "grpc/channel.h"
#include "grpc/resolver.h"
#include "grpc/tls.h"

namespace monitor::doctor {

namespace {

constexpr size_t kMaxBody = size_t{8} << 20;

// One call of grpc.health.v1.Health/Check, which also says the server's time and version (grpc/health.h).
class HealthCall final : public grpc::ClientCallHandler {
 public:
  explicit HealthCall(const Clock& clock) : clock_(clock) { sight_.clock.asked_ns = clock.wall_ns(); }

  void on_headers(const grpc::Metadata& headers) override {
    sight_.clock.answered_ns = clock_.wall_ns();
    if (const std::string* const time = grpc::find_metadata(headers, "server-time-ns")) {
      sight_.clock.peer_ns = parse_i64(*time).value_or(0);
    }
    if (const std::string* const version = grpc::find_metadata(headers, "server-version")) {
      sight_.version = version->substr(0, 64);
    }
  }
  void on_message(std::string_view message) override { sight_.serving = message == "\x08\x01"; }
  void on_done(const grpc::CallStatus& status, const grpc::Metadata& /*trailers*/) override { status_ = status; }

  bool done() const { return status_.has_value(); }
  Result<ServerSight> result() const {
    if (!status_->ok()) return status_->to_error();
    return sight_;
  }
  // From here on the request is under way: the time of the handshake does not belong to the exchange.
  void asked() { sight_.clock.asked_ns = clock_.wall_ns(); }

 private:
  const Clock& clock_;
  ServerSight sight_;
  std::optional<grpc::CallStatus> status_;
};

class Listener final : public grpc::ChannelListener {
 public:
  void on_ready() override { ready_ = true; }
  void on_closed(const Error& reason) override { closed_ = reason; }
  bool ready() const { return ready_; }
  const std::optional<Error>& closed() const { return closed_; }

 private:
  bool ready_ = false;
  std::optional<Error> closed_;
};

const std::string& name_of(const HostPort& address, const TlsFiles& tls) {
  return tls.server_name.empty() ? address.host : tls.server_name;
}

}  // namespace

Result<ServerSight> RealPeers::server(const HostPort& address, const TlsFiles& tls, int64_t timeout_ns) {
  SystemClock clock;
  EventLoop loop(clock);
  grpc::ThreadResolver resolver(loop);
  grpc::ChannelOptions options;
  options.host = address.host;
  options.port = address.port;
  options.connect_timeout_ns = timeout_ns;
  options.handshake_timeout_ns = timeout_ns;
  if (tls.used()) {
    auto security = grpc::TlsClientContext::load({.ca_file = tls.ca,
                                                  .server_name = name_of(address, tls),
                                                  .certificate_file = tls.certificate,
                                                  .key_file = tls.key,
                                                  .crl_file = tls.crl});
    if (!security) return security.error();
    options.security = std::move(*security);
  }
  Listener listener;
  grpc::Channel channel(loop, resolver, std::move(options), &listener);
  const int64_t deadline = clock.mono_ns() + timeout_ns;
  channel.connect();
  const auto turn = [&] {
    const int64_t left = deadline - clock.mono_ns();
    if (left > 0) loop.run_once(left);
    return left > 0;
  };
  while (!listener.ready() && !listener.closed() && turn()) {
  }
  if (listener.closed()) return *listener.closed();
  const Error late(Code::kDeadlineExceeded,
                   fmt::format("no answer within {:.1f} s", static_cast<double>(timeout_ns) / 1e9));
  if (!listener.ready()) return late;
  HealthCall call(clock);
  const auto running = channel.start("/grpc.health.v1.Health/Check", {.max_message_bytes = 1024}, call);
  running->write("");
  running->half_close();
  call.asked();
  while (!call.done() && turn()) {
  }
  return call.done() ? call.result() : Result<ServerSight>(late);
}

Result<HttpAnswer> RealPeers::http(const HttpTarget& target, int64_t timeout_ns) {
  const SystemClock clock;
  auto connection = Connection::open(target.address, timeout_ns);
  if (!connection) return connection.error();
  if (target.tls) {
    if (Status secured = (*connection)->start_tls(name_of(target.address, target.files), target.files, ""); !secured)
      return secured.error();
    if (const PeerChain& chain = (*connection)->chain(); !chain.fault.empty()) {
      return Error(Code::kUnauthenticated, "the peer's certificate is not accepted: " + chain.fault);
    }
  }
  const int64_t asked = clock.wall_ns();
  const Status sent = (*connection)
                          ->write(fmt::format("GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: monitor-doctor\r\n"
                                              "Accept: */*\r\nConnection: close\r\n\r\n",
                                              target.path, target.address.to_string()));
  if (!sent) return sent.error();
  std::string bytes;
  int64_t answered = 0;
  while (true) {
    const auto more = (*connection)->read(bytes);
    if (answered == 0) answered = clock.wall_ns();
    if (!more) return more.error();
    if (bytes.size() > kMaxBody) return Error(Code::kResourceExhausted, "the answer exceeds 8 MiB");
    if (!*more || http_answer_complete(bytes)) break;
  }
  auto answer = parse_http_answer(bytes);
  if (!answer) return answer.error();
  answer->asked_ns = asked;
  answer->answered_ns = answered;
  return answer;
}

Result<PeerChain> RealPeers::certificate(const HostPort& address, const TlsFiles& tls, const std::string& alpn,
                                         int64_t timeout_ns) {
  auto connection = Connection::open(address, timeout_ns);
  if (!connection) return connection.error();
  if (Status secured = (*connection)->start_tls(name_of(address, tls), tls, alpn); !secured) return secured.error();
  return (*connection)->chain();
}

Result<std::string> RealPeers::log_settings(const LogSetup& log, int64_t timeout_ns) {
  const std::string program = program_folder_ + "/monitor-analysis";
  if (access(program.c_str(), X_OK) != 0) {
    return Error(Code::kNotFound, "monitor-analysis is not installed on this host, so the log is not checked");
  }
  std::vector<std::string> arguments = {"log-settings",
                                        "--format",
                                        "json",
                                        "--log-level",
                                        "off",
                                        "--timeout",
                                        std::to_string(std::max<int64_t>(timeout_ns / kNanosPerSecond, 1))};
  arguments.insert(arguments.end(), log.arguments.begin(), log.arguments.end());
  // librdkafka needs a moment to end after its own time limit.
  const auto ended = run_program(program, arguments, timeout_ns + 2 * kNanosPerSecond);
  if (!ended) return ended.error();
  if (ended->output.empty()) {
    return Error(Code::kUnavailable, fmt::format("monitor-analysis log-settings failed with status {}: {}",
                                                 ended->status, json_quote(trim(ended->errors.substr(0, 300)))));
  }
  return ended->output;
}

}  // namespace monitor::doctor
