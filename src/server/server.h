// Server: accepts agents' streams on several loops, a thread each, that share a port (SO_REUSEPORT), the log's writer
// and the table of live streams, and nothing else. Its own pages are served on the loop that made it.
//
// Thread contract: everything on the thread of `loop`, which must outlive the server, as log, registry and clock must.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/secure_transform.h"
#include "grpc/server.h"
#include "inputs/stream/options.h"
#include "metriclog/log.h"
#include "telemetry/http/http_server.h"
#include "telemetry/registry.h"

namespace monitor::server {

class MemoryBudget;
class MessageMemory;
class HeldBatches;
class StreamTable;

struct ListenAddress {
  std::string address;  // numeric
  uint16_t port = 0;    // 0 picks one
};

struct ServerOptions {
  std::vector<ListenAddress> listen = {{"127.0.0.1", 50051}};
  unsigned loops = 0;  // 0: one a core
  grpc::ConnectionLimits connections = {};
  IngestOptions ingest = {};
  std::shared_ptr<const grpc::SecurityContext> security = nullptr;  // null: plaintext
  std::optional<telemetry::HttpOptions> http = {};
};

class Server {
 public:
  // Listens when it returns. kUnavailable: a port is taken; the error names it and the option for another.
  static Result<std::unique_ptr<Server>> start(EventLoop& loop, const ServerOptions& options, metriclog::LogWriter& log,
                                               telemetry::Registry& registry, const Clock& clock);
  // Cuts what still runs, and waits until the log has reported everything that was appended; a log that may not come to
  // that is destroyed between close() and this.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // "127.0.0.1:50051", "[::1]:50051": the addresses as they came to be.
  const std::vector<std::string>& grpc_addresses() const { return addresses_; }
  std::string http_address() const;  // empty when there is none

  // Asks agents to go, answers what they sent, and closes; cuts what still runs after `grace_ns`. `done` comes on the
  // loop, once.
  void shutdown(int64_t grace_ns, std::function<void()> done);
  // Cuts what still runs. No thread of it runs any more, but the log may still report to it.
  void close();

 private:
  struct Worker;
  Server(EventLoop& loop, metriclog::LogWriter& log);
  Status listen(const ServerOptions& options);
  void worker_finished();

  EventLoop& loop_;
  metriclog::LogWriter& log_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // posted work looks whether the server still is
  std::unique_ptr<StreamTable> streams_;
  std::unique_ptr<MemoryBudget> memory_;
  std::unique_ptr<MessageMemory> messages_;
  std::shared_ptr<grpc::ConnectionTable> connections_;
  std::unique_ptr<HeldBatches> held_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::unique_ptr<telemetry::HttpServer> http_;
  std::string http_host_;
  std::vector<std::string> addresses_;
  size_t finished_ = 0;
  bool draining_ = false;
  bool closed_ = false;
  std::function<void()> done_;
};

}  // namespace monitor::server
