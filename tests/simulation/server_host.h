// A machine with a server: the real ingest and the real server side of every connection, with a simulated producer.
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
  int64_t max_connection_age_ns = 0;
  bool takes_v2 = true;     // when it first starts
  bool alternates = false;  // with each start: an upgrade, or a downgrade
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
  // SIGKILL: the kernel closes its sockets.
  void kill();
  // The machine is lost: its peers get no notification, and connections time out.
  void vanish(int64_t give_up_ns);
  // Drains: asks agents to disconnect, and ends when they have, or after the grace period.
  void drain(int64_t grace_ns);
  // Rebuilds its producer. False: it has none.
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
