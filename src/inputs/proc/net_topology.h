// Which network interfaces the sum counts, by the facts of sysfs, so that every byte is counted once.
//
// Where interfaces have a device behind them (/sys/class/net/X/device), those count, but for two that share their
// bytes: the virtual function below the interface that fails over to it (Azure's netvsc, virtio's net_failover: the
// upper one counts its bytes, too), the ports of a DSA switch (the conduit carries all their traffic), and the
// representors of a card's virtual functions (what they forward goes through the uplink).
// Where none has one (containers, OpenVZ, WSL), those count that lie on no other: not bridges and their ports, not the
// bonds and teams over others, not VLANs and the like, not tunnels, one end of a veth pair. On the agent's loop.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "inputs/proc/roots.h"
#include "inputs/proc/sysfs.h"
#include "inputs/proc/throughput_counter.h"

namespace monitor::agent {

struct InterfaceLine {
  std::string_view name;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
};

// What sysfs says of an interface.
struct NetFacts {
  bool has_folder = false;
  bool is_loopback = false;
  bool has_device = false;
  bool is_bridge = false;
  bool is_bridge_port = false;
  bool is_tunnel = false;
  bool is_monitor = false;      // hears the frames of another interface of the same radio again
  bool is_representor = false;  // the switch's end of a function of the card
  bool has_master = false;
  std::string master;               // empty also when it is unknown
  std::vector<std::string> lowers;  // what it lies on
  int64_t index = 0;
  int64_t peer = 0;  // iflink: of the other end of a veth, or of what it lies on
};

// The roles of all interfaces, by name.
using NetRoles = std::unordered_map<std::string, ThroughputCounter::Role>;
NetRoles net_roles(const std::map<std::string, NetFacts>& interfaces);

class NetTopology {
 public:
  explicit NetTopology(const Roots& roots) : folder_(roots.sysfs + "/class/net/") {}

  // `shape` differs whenever the set of interfaces does.
  void refresh(const std::vector<InterfaceLine>& lines, uint64_t shape, int64_t mono_ns);
  // After refresh(), of an interface among `lines`.
  ThroughputCounter::Role role(std::string_view name);

 private:
  NetFacts read_facts(const std::string& name) const;

  std::string folder_;
  Freshness freshness_;
  NetRoles roles_;
  std::string key_;  // kept for its memory
};

}  // namespace monitor::agent
