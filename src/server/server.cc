#include "server/server.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <thread>
#include <utility>

#include "base/random.h"
#include "rpc/health.h"
#include "rpc/reflection.h"
#include "rpc/resolver.h"
#include "server/ingest/ingest.h"
#include "server/ingest/stream_table.h"

namespace monitor {

// The proto files' descriptors (proto/CMakeLists.txt embeds them).
std::string_view descriptor_set();

}  // namespace monitor

namespace monitor::server {

namespace {

// The log's writer has a bound of its own for each commit; this is against one that hangs.
constexpr int64_t kLastFlush = 10 * kNanosPerSecond;

std::string endpoint(const std::string& address, uint16_t port) {
  return address.find(':') == std::string::npos ? fmt::format("{}:{}", address, port)
                                                : fmt::format("[{}]:{}", address, port);
}

Error cannot_listen(const ListenAddress& where, const Error& why, bool taken) {
  if (!taken) {
    return Error(Code::kUnavailable,
                 fmt::format("listening on {}: {}", endpoint(where.address, where.port), why.message()));
  }
  return Error(Code::kUnavailable, fmt::format("port {} of {} is taken by another program; choose another with --port, "
                                               "0 picks a free one",
                                               where.port, where.address));
}

// Sockets that share a port by SO_REUSEPORT would share it with another server's too. One without it finds out.
Status probe(const ListenAddress& where) {
  const auto address = rpc::parse_address(where.address, where.port);
  if (!address) return address.error();
  const int fd = socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return cannot_listen(where, errno_error(errno, "socket"), false);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int rc = bind(fd, reinterpret_cast<const sockaddr*>(&address->storage), address->length);
  const int error_number = rc == 0 ? 0 : errno;
  close(fd);
  if (rc == 0) return {};
  return cannot_listen(where, errno_error(error_number, "bind"), error_number == EADDRINUSE);
}

rpc::ServerOptions rpc_options(const ServerOptions& options, bool reuse_port) {
  rpc::ServerOptions out;
  out.security = options.security;
  out.reuse_port = reuse_port;
  // A whole window must fit in, with the bytes that frame the messages.
  out.limits.stream_window_bytes = options.ingest.window_bytes + 64 * 1024;
  out.limits.connection_window_bytes = 2 * out.limits.stream_window_bytes;
  return out;
}

std::unique_ptr<rpc::ReflectionService> make_reflection() {
  auto made = rpc::ReflectionService::create({std::string(descriptor_set())});
  assert(made.ok());  // built from our own proto files
  return std::move(*made);
}

}  // namespace

struct Server::Worker {
  Worker(const Clock& clock, const ServerOptions& options, bool reuse_port, metriclog::LogWriter& log,
         StreamTable& streams, MemoryBudget& memory, telemetry::Registry& registry)
      : loop(clock),
        ingest({loop, [this](std::function<void()> work) { loop.post(std::move(work)); }, log, streams, memory,
                registry, random},
               options.ingest),
        reflection(make_reflection()),
        server(std::make_unique<rpc::Server>(loop, rpc_options(options, reuse_port))) {
    server->add_method(Ingest::kPublishPath, ingest.factory(), ingest.method_options());
    health.add_to(server->methods());
    for (const char* service : {"", "monitor.v1.Ingest"}) health.set_status(service, rpc::ServingStatus::kServing);
    reflection->add_to(server->methods());
  }

  // Order matters: the server's calls hold sessions, which leave the ingest when they end.
  EventLoop loop;
  SystemRandom random;
  Ingest ingest;
  rpc::HealthService health;
  std::unique_ptr<rpc::ReflectionService> reflection;
  std::unique_ptr<rpc::Server> server;
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
  // Calls end here, with no thread running; the log still reports to the ingests.
  for (auto& worker : workers_) worker->server.reset();
}

Result<std::unique_ptr<Server>> Server::start(EventLoop& loop, const ServerOptions& options, metriclog::LogWriter& log,
                                              telemetry::Registry& registry, const Clock& clock) {
  std::unique_ptr<Server> server(new Server(loop, log));
  server->memory_ = std::make_unique<MemoryBudget>(options.ingest.memory_limit);
  const unsigned loops = options.loops > 0 ? options.loops : std::max(1U, std::thread::hardware_concurrency());
  for (unsigned i = 0; i < loops; ++i) {
    server->workers_.push_back(
        std::make_unique<Worker>(clock, options, loops > 1, log, *server->streams_, *server->memory_, registry));
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
    // With a port of 0, all addresses get the one that was picked for the first.
    if (where.port == 0) where.port = picked;
    if (where.port != 0) {
      if (auto status = probe(where); !status) return status;
    }
    for (auto& worker : workers_) {
      const auto port = worker->server->listen(where.address, where.port);
      if (!port) return cannot_listen(where, port.error(), false);
      where.port = picked = *port;
    }
    addresses_.push_back(endpoint(where.address, where.port));
  }
  return {};
}

std::string Server::http_address() const { return http_ ? endpoint(http_host_, http_->port()) : ""; }

void Server::shutdown(int64_t grace_ns, std::function<void()> done) {
  if (std::exchange(draining_, true)) return;
  done_ = std::move(done);
  for (auto& worker : workers_) {
    worker->loop.post([this, alive = alive_, w = worker.get(), grace_ns] {
      for (const char* service : {"", "monitor.v1.Ingest"}) {
        w->health.set_status(service, rpc::ServingStatus::kNotServing);
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

void Server::worker_finished() {
  if (++finished_ < workers_.size() || !done_) return;
  std::exchange(done_, nullptr)();
}

}  // namespace monitor::server
