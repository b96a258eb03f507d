// monitor-server: flags and wiring. Streams are accepted in src/server/, and handled in src/inputs/stream/.
#include <fmt/format.h>

#include <memory>
#include <optional>

#include "base/descriptors.h"
#include "base/service_notifier.h"
#include "base/signals.h"
#include "base/size_format.h"
#include "base/text.h"
#include "base/time_format.h"
#include "bin/common/cli.h"
#include "bin/log/log_flags.h"
#include "bin/server_ca.h"
#include "bin/server_heap.h"
#include "bin/server_limits.h"
#include "bin/server_tls.h"
#include "bin/server_tokens.h"
#include "grpc/reloading_security.h"
#include "grpc/resolver.h"
#include "server/server.h"

namespace monitor {
namespace {

constexpr int64_t kLookAtLog = 5 * kNanosPerSecond;
constexpr size_t kOwnDescriptors = 200;  // for the log, HTTP and the loops

struct Flags {
  uint16_t port = 50051;
  std::vector<std::string> listen;
  LogFlags log;
  std::string encoding = "v2";
  bool record_headers = false;
  std::string http = "127.0.0.1:9464";
  unsigned threads = 0;
  std::string memory_limit = "512MiB";
  ServerTlsFlags tls;
  ServerCaFlags ca;
  TokenFlags token;
  std::optional<size_t> per_address;
  IdentityFlags identity;
  RotationFlags rotation;
};

server::Encoding encoding_of(std::string_view name) {
  if (name == "json") return server::Encoding::kJson;
  return name == "v2" ? server::Encoding::kAsSent : server::Encoding::kProtobuf;
}

void declare(Cli& cli, Flags& flags) {
  CLI::App& app = cli.app();
  app.add_option("--port", flags.port, "Accept agents on this port of the loopback address; 0 picks a free port")
      ->type_name("PORT")
      ->check(CLI::Range(0, 65535));
  app.add_option("--listen", flags.listen,
                 "Accept agents on ADDR:PORT instead, as 0.0.0.0:50051 for all interfaces; may be repeated")
      ->type_name("ADDR:PORT");
  add_log_options(app, flags.log);
  add_log_writer_options(app, flags.log);
  app.add_option("--encoding", flags.encoding,
                 "Encoding of the records: v2, which takes payload v2 from agents that send it; v1 (or protobuf), for "
                 "readers that do not know v2; json, for people and other tools")
      ->check(CLI::IsMember({"v2", "v1", "protobuf", "json"}));
  app.add_flag("--record-headers", flags.record_headers,
               "Write headers to records of payload v2, too: agent, incarnation, sequence, revision, content type");
  app.add_option("--http", flags.http, "Serve /metrics, /healthz and /readyz on ADDR:PORT, or off")
      ->type_name("ADDR:PORT|off");
  app.add_option("--threads", flags.threads, "Number of event loops for agents; 0: one per core")
      ->type_name("N")
      ->check(CLI::Range(0, 256));
  app.add_option("--memory-limit", flags.memory_limit,
                 "Memory for batches that the log has not stored yet; above it, streams pause in turn; at least 4MiB")
      ->type_name("SIZE");
  app.add_option("--max-connections-per-address", flags.per_address,
                 "Maximum number of connections per IPv4 address or IPv6 /64 network; default 4096. Applies to this "
                 "host's own addresses only if it is set")
      ->type_name("N")
      ->check(CLI::Range(1, 1'000'000));
  add_identity_options(app, flags.identity);
  add_rotation_options(app, flags.rotation);
  add_server_tls_options(app, flags.tls);
  add_server_ca_options(app, flags.ca);
  add_token_commands(app, flags.token);
  cli.add_data_option();
  cli.add_drain_option();
  group_own_options(app, kServerOptions, {"--ca-dir"});
}

// Validates the flags and returns an error text, or an empty string.
std::string check(Flags& flags, server::ServerOptions& options) {
  options.listen.clear();
  for (const std::string& text : flags.listen) {
    auto target = parse_host_port(text, flags.port, PortZero::kAllowed);
    if (!target) return "--listen: " + target.error().message();
    if (target->host == "localhost") target->host = "127.0.0.1";
    if (!parse_socket_address(target->host, target->port)) {
      return fmt::format("--listen: got {}, expected a numeric address and a port, such as 0.0.0.0:50051",
                         json_quote(text));
    }
    options.listen.push_back({target->host, target->port});
  }
  // Only --listen opens the port to other hosts.
  if (options.listen.empty()) options.listen = {{"127.0.0.1", flags.port}};
  if (flags.ca.folder.empty()) {
    if (std::string fault = check_server_tls_flags(flags.tls, options.listen); !fault.empty()) return fault;
    options.ingest.identity = identity_rule(flags.tls);
  } else if (std::string fault = check_server_ca_flags(flags.ca, flags.tls); !fault.empty()) {
    return fault;
  }
  if (flags.http != "off") {
    const auto http = telemetry::parse_http_address(flags.http);
    if (!http) return "--http: " + http.error().message();
    options.http = *http;
  }
  const auto memory = parse_size(flags.memory_limit);
  if (!memory) return "--memory-limit: " + memory.error().message();
  if (*memory < server::MemoryBudget::kLeast) {
    return fmt::format("--memory-limit: got {}, expected at least {}", format_size(*memory),
                       format_size(server::MemoryBudget::kLeast));
  }
  options.ingest.memory_limit = *memory;
  if (flags.per_address) options.connections = {.per_address = *flags.per_address, .loopback_exempt = false};
  if (std::string fault = check_identity_flags(flags.identity, options.ingest.agent_limits); !fault.empty())
    return fault;
  if (std::string fault = check_rotation_flags(flags.rotation); !fault.empty()) return fault;
  options.max_connection_age_ns = flags.rotation.max_age_ns;
  options.loops = flags.threads;
  options.ingest.version = version();
  options.ingest.encoding = encoding_of(flags.encoding);
  options.ingest.record_headers = flags.record_headers;
  return check_log_flags(flags.log);
}

// Limits the number of connections to the available descriptors, with a reserve for the log.
void fit_descriptors(grpc::ConnectionLimits& limits) {
  const size_t descriptors = raise_descriptor_limit();
  const size_t room = descriptors > 2 * kOwnDescriptors ? descriptors - kOwnDescriptors : descriptors / 2;
  if (room >= limits.total) return;
  log_warning("the limit of open descriptors is too low for all agents; further ones are refused",
              {{"descriptors", descriptors},
               {"connections", room},
               {"wanted", limits.total},
               {"next", "raise the hard limit (ulimit -Hn, LimitNOFILE=)"}});
  limits.total = room;
}

void say_where(const Flags& flags, const server::Server& server, const server::ServerOptions& options) {
  for (const std::string& address : server.grpc_addresses()) {
    log_info("listening", {{"service", "grpc"}, {"address", address}, {"tls", options.security != nullptr}});
  }
  if (!server.http_address().empty()) log_info("listening", {{"service", "http"}, {"address", server.http_address()}});
  if (flags.listen.empty()) {
    log_info("agents are accepted from this host only; --listen 0.0.0.0:PORT opens it to others");
  }
  if (flags.ca.folder.empty()) warn_of_open_streams(flags.tls, options.listen);
}

class Program {
 public:
  Program(const Cli& cli, const Flags& flags) : cli_(cli), flags_(flags), loop_(clock_) {}

  int run(server::ServerOptions options) {
    if (const auto code = set_up_security(options)) return *code;
    fit_descriptors(options.connections);
    auto log = open_log_writer(flags_.log, clock_);
    if (!log) return fail("cannot write the metric log", log.error(), exit_code_for_log(flags_.log, log.error()));
    log_ = std::move(*log);
    auto server = server::Server::start(loop_, options, *log_, registry_, clock_);
    if (!server) return fail("cannot serve", server.error(), exit_code_for(server.error()));
    server_ = std::move(*server);
    if (ca_) ca_->start(loop_, *server_);

    const Signals signals(
        loop_, [this](int) { stop(kExitOk); },
        [this](int) {
          if (!tls_files_) log_info("SIGHUP ignored: there is nothing to reload");
          if (tls_files_) tls_files_->reload();
        });
    log_info("server started", {{"version", version()},
                                {"log", flags_.log.address()},
                                {"encoding", flags_.encoding},
                                {"retention", format_duration(flags_.log.retention_ns)}});
    say_where(flags_, *server_, options);
    look_at_log();
    service_.set_probe([this](std::function<void()> alive) { server_->probe(std::move(alive)); });
    service_.set_status([this] {
      const std::string trouble = log_->trouble();
      return trouble.empty() ? "writing " + flags_.log.address() : trouble;
    });
    service_.ready();
    loop_.run();
    // Agents get no more answers. The log must be destroyed before the parts that it reports its last records to.
    server_->close();
    log_.reset();
    server_.reset();
    log_info("server stopped");
    return exit_code_;
  }

 private:
  // The exit status if it fails.
  std::optional<int> set_up_security(server::ServerOptions& options) {
    if (!flags_.ca.folder.empty()) return set_up_ca(options);
    if (flags_.tls.certificate.empty()) return std::nullopt;
    auto tls = reloading_server_tls(flags_.tls, clock_, revoked_, [this] { end_revoked_streams(); });
    if (!tls) return fail("cannot set up TLS", tls.error(), kExitIo);
    options.security = *tls;
    // A connection may be older than the list.
    options.ingest.is_revoked = [revoked = revoked_](std::string_view /*agent*/, const PeerCertificate& certificate) {
      return revoked->contains(certificate);
    };
    tls_files_.emplace(loop_, flags_.rotation.reload_ns);
    tls_files_->add(std::move(*tls));
    add_expiry_gauge();
    return std::nullopt;
  }

  void end_revoked_streams() {
    if (server_ == nullptr) return;
    server_->end_streams(
        [revoked = revoked_](const server::LiveStream& stream) {
          return revoked->contains(stream.certificate, stream.authorities);
        },
        Error(Code::kPermissionDenied, "stream: the agent's certificate was revoked, or that of a CA above it"));
  }

  std::optional<int> set_up_ca(server::ServerOptions& options) {
    auto ca = ServerCa::open(flags_.ca, options.listen, clock_, registry_);
    if (!ca) {
      const bool in_use = ca.error().code() == Code::kAborted;
      return fail("cannot use the built-in CA", ca.error(), in_use ? kExitTempFail : kExitIo);
    }
    ca_ = std::move(*ca);
    ca_->add_to(options);
    add_expiry_gauge();
    registry_.gauge("monitor_server_ca_expiry_timestamp_seconds", "When the certificate of the built-in CA expires.")
        .set(static_cast<double>(ca_->authority_expiry_s()));
    return std::nullopt;
  }

  void add_expiry_gauge() {
    expiry_ = &registry_.gauge("monitor_server_certificate_expiry_timestamp_seconds",
                               "When the server's certificate expires.");
  }

  static int fail(const char* what, const Error& error, int code) {
    log_error(what, {{"reason", error}});
    return code;
  }

  // A damaged file, or a topic that does not match the options: a retry cannot help.
  void look_at_log() {
    if (const Status status = log_->failure(); !status && exit_code_ == kExitOk) {
      log_error("the metric log cannot be used; stopping", {{"reason", status.error()}});
      stop(exit_code_for_log(flags_.log, status.error()));
    }
    heap_.look(clock_.mono_ns());
    if (expiry_ != nullptr) expiry_->set(static_cast<double>(ca_ ? ca_->expiry_s() : tls_files_->expiry_s()));
    loop_.call_after(kLookAtLog, [this] { look_at_log(); });
  }

  void stop(int exit_code) {
    exit_code_ = exit_code;
    service_.stopping();
    log_info("stopping; draining agents", {{"within", format_duration(cli_.drain_timeout_ns())}});
    server_->shutdown(cli_.drain_timeout_ns(), [this] { loop_.stop(); });
  }

  const Cli& cli_;
  const Flags& flags_;
  const SystemClock clock_;
  EventLoop loop_;
  telemetry::Registry registry_;
  std::unique_ptr<ServerCa> ca_;
  std::unique_ptr<metriclog::LogWriter> log_;
  std::unique_ptr<server::Server> server_;
  std::optional<grpc::SecurityRefresher> tls_files_;
  std::shared_ptr<grpc::RevokedByCrl> revoked_ = std::make_shared<grpc::RevokedByCrl>();  // with --tls-crl
  telemetry::Gauge* expiry_ = nullptr;                                                    // with TLS
  HeapTrimmer heap_;
  ServiceNotifier service_{loop_, ServiceEnvironment::read()};
  int exit_code_ = kExitOk;
};

int run(int argc, char** argv) {
  share_one_heap();
  block_signals();
  Flags flags;
  Cli cli({"monitor-server",
           "Accepts agents' streams and writes the metric log.",
           "  monitor-server --port 50051 --kafka localhost:9092\n"
           "  monitor-server --port 6000 --log sqlite:/var/lib/monitor/log.db --retention 1h\n"
           "  monitor-server --listen 0.0.0.0:50051 --tls-cert server.pem --tls-key server.key --tls-ca ca.pem\n"
           "  monitor-server --listen 0.0.0.0:50051 --ca-dir /var/lib/monitor/ca\n"
           "  monitor-server token create --ca-dir /var/lib/monitor/ca --agent 'web-*' --for 24h > token\n"
           "  monitor-server token list --ca-dir /var/lib/monitor/ca\n"
           "  monitor-server token revoke --ca-dir /var/lib/monitor/ca 0123456789abcdef\n"
           "  monitor-server agent revoke --ca-dir /var/lib/monitor/ca web-1\n",
           {},
           token_unused_groups()});
  declare(cli, flags);
  if (const auto code = cli.parse(argc, argv)) return *code;
  if (is_token_command(cli.app())) return run_token_command(cli, flags.ca, flags.token);
  if (cli.data_named()) {  // a service never searches for a system on its own
    if (const std::string fault = resolve_log(cli, flags.log); !fault.empty()) return cli.usage_error(fault);
  }
  server::ServerOptions options;
  if (const std::string fault = check(flags, options); !fault.empty()) return cli.usage_error(fault);
  return Program(cli, flags).run(std::move(options));
}

}  // namespace
}  // namespace monitor

int main(int argc, char** argv) { return monitor::guard(monitor::run, argc, argv); }
