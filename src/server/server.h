// Server: accepts agents' streams on several loops, each on its own thread. The loops share a port (SO_REUSEPORT), the
// log's writer, and the table of live streams. The loop that creates the server also serves metrics and health pages.
//
// Thread contract: call everything on the thread of `loop`. Loop, log, registry and clock must outlive the server.
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
#include "inputs/stream/stream_table.h"
#include "metriclog/log.h"
#include "telemetry/http/http_server.h"
#include "telemetry/registry.h"

namespace monitor::server {

class MemoryBudget;
class MessageMemory;
class HeldBatches;
class IdentityTable;
class StreamTable;

struct ListenAddress {
  std::string address;  // numeric
  uint16_t port = 0;    // 0: the kernel picks a free one
};

struct ServerOptions {
  std::vector<ListenAddress> listen = {{"127.0.0.1", 50051}};
  unsigned loops = 0;  // 0: one per core
  grpc::ConnectionLimits connections = {};
  IngestOptions ingest = {};
  std::shared_ptr<const grpc::SecurityContext> security = nullptr;  // nullptr: plaintext
  int64_t max_connection_age_ns = 0;  // asks an agent to connect again; 0: never. Spread by a tenth
  std::optional<telemetry::HttpOptions> http = {};
  // Adds further gRPC services to a loop's methods, once for each loop, before it runs. What is returned owns them; it
  // is destroyed after the loop's calls and before the loop.
  std::function<std::shared_ptr<void>(EventLoop& loop, grpc::MethodTable& methods)> add_services = {};
};

class Server {
 public:
  // The server is listening when this returns. kUnavailable: a port is in use; the error names it and the option to
  // change it.
  static Result<std::unique_ptr<Server>> start(EventLoop& loop, const ServerOptions& options, metriclog::LogWriter& log,
                                               telemetry::Registry& registry, const Clock& clock);
  // Closes open streams, and waits until the log has reported every appended record. If the log may never do that,
  // destroy it between close() and this.
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The addresses in use: "127.0.0.1:50051", "[::1]:50051".
  const std::vector<std::string>& grpc_addresses() const { return addresses_; }
  std::string http_address() const;  // empty if there is none

  // Calls `alive` on the loop once every thread that accepts agents has shown that it runs; never if one hangs.
  void probe(std::function<void()> alive);
  // Asks agents to disconnect, answers what they have sent, and closes. Open streams are closed after `grace_ns`. Calls
  // `done` once, on the loop.
  void shutdown(int64_t grace_ns, std::function<void()> done);
  // Ends every open stream whose client has a certificate that satisfies the predicate. Any thread.
  void end_streams(const std::function<bool(const LiveStream&)>& ends, const Error& error);
  // Closes open streams and ends the server's threads. The log may still report to the server afterwards.
  void close();

 private:
  struct Worker;
  Server(EventLoop& loop, metriclog::LogWriter& log);
  Status listen(const ServerOptions& options);
  void worker_finished();

  EventLoop& loop_;
  metriclog::LogWriter& log_;
  std::shared_ptr<bool> alive_ =
      std::make_shared<bool>(true);  // posted work checks with it whether the server still exists
  std::unique_ptr<StreamTable> streams_;
  std::unique_ptr<MemoryBudget> memory_;
  std::unique_ptr<MessageMemory> messages_;
  std::shared_ptr<grpc::ConnectionTable> connections_;
  std::unique_ptr<HeldBatches> held_;
  std::shared_ptr<IdentityTable> identities_;
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
