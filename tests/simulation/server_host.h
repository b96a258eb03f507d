// A machine with a server on it: the real ingest and the real server's side of every connection; its producer is
// simulated.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "simulation/network.h"
#include "simulation/producer.h"
#include "simulation/schedule.h"

namespace monitor::simulation {

struct ServerPlan {
  uint16_t port = 0;
  uint32_t window_bytes = 512 * 1024;
  size_t memory_limit = size_t{32} << 20;
};

enum class ServerState { kDown, kAlone, kQuiet, kInFlight, kDraining };

class ServerHost final : private Acceptor {
 public:
  struct Environment {
    Schedule& schedule;
    Network& network;
    LogCluster& cluster;
    Random& random;
  };
  ServerHost(Environment environment, ServerPlan plan, int64_t mono_offset_ns);
  ~ServerHost() override;
  ServerHost(const ServerHost&) = delete;
  ServerHost& operator=(const ServerHost&) = delete;

  void start();
  // SIGKILL: its sockets close.
  void kill();
  // The machine is gone: nobody hears anything any more, connections die of themselves.
  void vanish(int64_t give_up_ns);
  // Asks agents to go, and ends when they have, or after the grace.
  void drain(int64_t grace_ns);
  // Its producer is built anew; false when there is none.
  bool rebuild_producer();

  bool up() const { return process_ != nullptr; }
  ServerState state() const;
  Host& host() { return host_; }
  uint16_t port() const { return plan_.port; }

 private:
  struct Process;
  class Connection;
  void accept(const std::shared_ptr<Link>& link) override;
  void remove(Connection* connection);

  Environment environment_;
  ServerPlan plan_;
  Host host_;
  std::unique_ptr<Process> process_;
};

}  // namespace monitor::simulation
