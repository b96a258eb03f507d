#include "server/server.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cassert>
#include <thread>
#include <utility>

#include "base/log.h"
#include "base/net/listen_socket.h"
#include "base/random.h"
#include "grpc/health.h"
#include "grpc/reflection.h"
#include "inputs/stream/identity_limits.h"
#include "inputs/stream/ingest.h"
#include "inputs/stream/stream_table.h"
#include "server/message_memory.h"

namespace monitor {

// The proto files' descriptors (proto/CMakeLists.txt embeds them).
std::string_view descriptor_set();

}  // namespace monitor

namespace monitor::server {

namespace {

// The log's writer bounds the time of each commit; this bounds the wait for one that hangs.
// An agent opens one stream, and makes no other calls.
constexpr uint32_t kMaxStreams = 32;
// Limit on the decoded headers of a connection; those of a call have half a KiB.
constexpr double kHeaderBurst = 128 * 1024;
constexpr double kHeaderRate = 64 * 1024;
constexpr double kFieldBurst = 4000;
constexpr double kFieldRate = 2000;
constexpr int64_t kFirstCall = 20 * kNanosPerSecond;
constexpr double kAgeJitter = 0.1;
constexpr int64_t kIdle = 60 * kNanosPerSecond;
constexpr size_t kMaxHeld = size_t{4} << 20;  // per connection: incomplete messages and unread replies
constexpr int64_t kLastFlush = 10 * kNanosPerSecond;

Error cannot_listen(const ListenAddress& where, const Error& why, bool taken) {
  if (!taken) {
    return Error(Code::kUnavailable,
                 fmt::format("listening on {}: {}", HostPort{where.address, where.port}.to_string(), why.message()));
  }
  return Error(Code::kUnavailable,
               fmt::format("port {} of {} is in use by another program; choose another one with --port, "
                           "0 picks a free one",
                           where.port, where.address));
}

// With SO_REUSEPORT, another server could share the port unnoticed. A socket without it detects the other server.
Status check_free(const ListenAddress& where) {
  const auto address = parse_socket_address(where.address, where.port);
  if (!address) return address.error();
  const auto bound = bind_tcp(*address, {}, "bind");
  if (bound) return {};
  return cannot_listen(where, bound.error(), bound.error().code() == Code::kAlreadyExists);
}

grpc::ServerOptions rpc_options(const ServerOptions& options, bool reuse_port, MessageMemory& messages,
                                std::shared_ptr<grpc::ConnectionTable> connections) {
  grpc::ServerOptions out;
  out.security = options.security;
  out.reuse_port = reuse_port;
  // Must hold a whole window of batches, including the framing of the messages.
  out.limits.stream_window_bytes = options.ingest.window_bytes + 64 * 1024;
  out.limits.connection_window_bytes = 2 * out.limits.stream_window_bytes;
  out.limits.max_concurrent_streams = kMaxStreams;
  out.limits.header_burst_bytes = kHeaderBurst;
  out.limits.header_bytes_per_second = kHeaderRate;
  out.limits.header_burst_fields = kFieldBurst;
  out.limits.header_fields_per_second = kFieldRate;
  out.limits.first_call_timeout_ns = kFirstCall;
  out.limits.idle_timeout_ns = kIdle;
  out.limits.max_age_ns = options.max_connection_age_ns;
  out.limits.max_age_jitter = kAgeJitter;
  out.limits.max_partial_bytes = std::max<size_t>(kMaxHeld, 2 * out.limits.stream_window_bytes);
  out.limits.max_unsent_bytes = kMaxHeld;
  out.limits.buffers = &messages;
  out.limits.max_connections = options.connections.total;
  out.connections = std::move(connections);
  return out;
}

std::unique_ptr<grpc::ReflectionService> make_reflection() {
  auto made = grpc::ReflectionService::create({std::string(descriptor_set())});
  assert(made.ok());  // cannot fail, because it is built from our own proto files
  return std::move(*made);
}

// The loop's part of the server's metrics.
struct RefusedConnections {
  explicit RefusedConnections(telemetry::Registry& registry)
      : limit(cell(registry, "limit")),
        address_limit(cell(registry, "address_limit")),
        descriptors(cell(registry, "descriptors")) {}
  static telemetry::Counter& cell(telemetry::Registry& registry, const char* reason) {
    return registry.counter("monitor_server_connections_refused_total", "Connections closed at once, by reason.",
                            {{"reason", reason}});
  }
  telemetry::Counter& of(std::string_view reason) {
    if (reason == "limit") return limit;
    return reason == "address_limit" ? address_limit : descriptors;
  }
  telemetry::Counter& limit;
  telemetry::Counter& address_limit;
  telemetry::Counter& descriptors;
};

}  // namespace

struct Server::Worker {
  Worker(const Clock& clock, const ServerOptions& options, bool reuse_port, metriclog::LogWriter& log,
         StreamTable& streams, MemoryBudget& memory, HeldBatches& held, IdentityTable& identities,
         MessageMemory& messages, const std::shared_ptr<grpc::ConnectionTable>& connections,
         telemetry::Registry& registry)
      : loop(clock),
        ingest({loop, [this](std::function<void()> work) { loop.post(std::move(work)); }, log, streams, memory, held,
                identities, registry, random},
               options.ingest),
        reflection(make_reflection()),
        refused(registry),
        handshakes_failed(registry.counter("monitor_server_tls_handshakes_failed_total",
                                           "TLS connections closed because one side refused the other.")),
        server(std::make_unique<grpc::Server>(loop,
                                              with_counters(rpc_options(options, reuse_port, messages, connections)))) {
    server->add_method(Ingest::kPublishPath, ingest.factory(), ingest.method_options());
    health.add_to(server->methods());
    for (const char* service : {"", "monitor.v1.Ingest"}) health.set_status(service, grpc::ServingStatus::kServing);
    // For `monitor doctor`: the difference of the clocks, and the version.
    health.set_about([this, version = options.ingest.version] {
      return grpc::Metadata{{"server-time-ns", std::to_string(loop.clock().wall_ns())}, {"server-version", version}};
    });
    if (options.add_services) services = options.add_services(loop, server->methods());
    reflection->add_to(server->methods());
  }

  grpc::ServerOptions with_counters(grpc::ServerOptions options) {
    options.on_refused = [this](std::string_view reason) { refused.of(reason).add(); };
    options.on_handshake_failed = [this](const std::string& peer, const Error& error) {
      handshakes_failed.add();
      log_warning("connection refused: its TLS handshake failed", {{"peer", peer}, {"reason", error}});
    };
    return options;
  }

  // The order matters: calls of the server own sessions, which unregister from the ingest when they end.
  EventLoop loop;
  SystemRandom random;
  Ingest ingest;
  grpc::HealthService health;
  std::unique_ptr<grpc::ReflectionService> reflection;
  RefusedConnections refused;
  telemetry::Counter& handshakes_failed;
  std::shared_ptr<void> services;
  std::unique_ptr<grpc::Server> server;
  std::thread thread;
};

Server::Server(EventLoop& loop, metriclog::LogWriter& log)
    : loop_(loop), log_(log), streams_(std::make_unique<StreamTable>()) {}

Server::~Server() {
  if (closed_) return;
  close();
  log_.flush(kLastFlush);
}

void Server::close() {
  closed_ = true;
  *alive_ = false;
  http_.reset();
  for (auto& worker : workers_) {
    if (!worker->thread.joinable()) continue;
    worker->loop.stop();
    worker->thread.join();
  }
  // Ends the calls, after the threads have stopped. The log may still report to the ingests.
  for (auto& worker : workers_) worker->server.reset();
}

Result<std::unique_ptr<Server>> Server::start(EventLoop& loop, const ServerOptions& options, metriclog::LogWriter& log,
                                              telemetry::Registry& registry, const Clock& clock) {
  std::unique_ptr<Server> server(new Server(loop, log));
  server->memory_ = std::make_unique<MemoryBudget>(options.ingest.memory_limit);
  SystemRandom random;
  server->held_ = std::make_unique<HeldBatches>(random);
  server->identities_ = std::make_shared<IdentityTable>(options.ingest.agent_limits, random);
  registry.gauge_from("monitor_server_agents_limited", "Agents that exceeded a limit within the last minute.",
                      [identities = std::weak_ptr(server->identities_), &clock] {
                        const auto table = identities.lock();
                        return table == nullptr ? 0.0 : static_cast<double>(table->limited(clock.mono_ns()));
                      });
  server->messages_ = std::make_unique<MessageMemory>(*server->memory_);
  server->connections_ = std::make_shared<grpc::ConnectionTable>(options.connections);
  const unsigned loops = options.loops > 0 ? options.loops : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < loops; ++i) {
    server->workers_.push_back(std::make_unique<Worker>(clock, options, loops > 1, log, *server->streams_,
                                                        *server->memory_, *server->held_, *server->identities_,
                                                        *server->messages_, server->connections_, registry));
  }
  if (auto status = server->listen(options); !status) return status.error();
  if (options.http) {
    auto http = telemetry::HttpServer::start(loop, *options.http,
                                             telemetry::own_pages(registry, [self = server.get()]() -> std::string {
                                               return self->draining_ ? "shutting down" : self->log_.trouble();
                                             }));
    if (!http) return http.error();
    server->http_ = std::move(*http);
    server->http_host_ = options.http->address;
  }
  for (auto& worker : server->workers_) {
    worker->thread = std::thread([&events = worker->loop] { events.run(); });
  }
  return server;
}

Status Server::listen(const ServerOptions& options) {
  uint16_t picked = 0;
  for (ListenAddress where : options.listen) {
    // With port 0, the kernel chooses the port of the first address, and the other addresses use the same one.
    if (where.port == 0) where.port = picked;
    if (where.port != 0) {
      if (auto status = check_free(where); !status) return status;
    }
    for (auto& worker : workers_) {
      const auto port = worker->server->listen(where.address, where.port);
      if (!port) return cannot_listen(where, port.error(), false);
      where.port = picked = *port;
    }
    addresses_.push_back(HostPort{where.address, where.port}.to_string());
  }
  return {};
}

std::string Server::http_address() const { return http_ ? HostPort{http_host_, http_->port()}.to_string() : ""; }

void Server::probe(std::function<void()> alive) {
  // The last loop to answer calls it.
  const auto left = std::make_shared<std::atomic<size_t>>(workers_.size());
  const auto call = std::make_shared<std::function<void()>>(std::move(alive));
  for (auto& worker : workers_) {
    worker->loop.post([this, left, call, alive = alive_] {
      if (left->fetch_sub(1) != 1) return;
      loop_.post([call, alive] {
        if (*alive) (*call)();
      });
    });
  }
}

void Server::shutdown(int64_t grace_ns, std::function<void()> done) {
  if (std::exchange(draining_, true)) return;
  done_ = std::move(done);
  for (auto& worker : workers_) {
    worker->loop.post([this, alive = alive_, w = worker.get(), grace_ns] {
      for (const char* service : {"", "monitor.v1.Ingest"}) {
        w->health.set_status(service, grpc::ServingStatus::kNotServing);
      }
      w->ingest.drain();
      w->server->shutdown(grace_ns, [this, alive] {
        loop_.post([this, alive] {
          if (*alive) worker_finished();
        });
      });
    });
  }
}

void Server::end_streams(const std::function<bool(const LiveStream&)>& ends, const Error& error) {
  if (const size_t ended = streams_->end_if(ends, error); ended > 0) {
    log_info("streams ended", {{"streams", ended}, {"reason", error}});
  }
}

void Server::worker_finished() {
  if (++finished_ < workers_.size() || !done_) return;
  std::exchange(done_, nullptr)();
}

}  // namespace monitor::server
