// NetTopology: decides from sysfs which network interfaces the sum includes, so that every byte counts once.
//
// If any interface has a device (/sys/class/net/X/device), exactly those count. Exceptions are interfaces whose bytes
// another interface counts. These are virtual functions below an interface that fails over to them (Azure's netvsc,
// virtio's net_failover), ports of a DSA switch (the conduit carries their traffic), and representors of a card's
// virtual functions (the uplink carries what they forward). If none has a device (containers, OpenVZ, WSL), interfaces
// count that are not stacked on another one. Bridges and their ports, bonds, teams, VLANs and tunnels do not count, and
// of a veth pair only one end does. Runs on the agent's loop.
#pragma once

#include <array>
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
  // When receiving, and when sending.
  std::array<uint64_t, 2> errors = {};
  std::array<uint64_t, 2> dropped = {};
};

// What sysfs says about an interface.
struct NetFacts {
  bool has_folder = false;
  bool is_loopback = false;
  bool has_device = false;
  bool is_bridge = false;
  bool is_bridge_port = false;
  bool is_tunnel = false;
  bool is_monitor = false;      // also receives the frames of another interface of the same radio
  bool is_representor = false;  // represents a function of the card in the card's switch
  bool has_master = false;
  std::string master;               // also empty if it is unknown
  std::vector<std::string> lowers;  // the interfaces below it
  int64_t index = 0;
  int64_t peer = 0;  // iflink: the other end of a veth, or the interface below
};

// The roles of all interfaces, by name.
using NetRoles = std::unordered_map<std::string, ThroughputCounter::Role>;
NetRoles net_roles(const std::map<std::string, NetFacts>& interfaces);

class NetTopology {
 public:
  explicit NetTopology(const Roots& roots) : folder_(roots.sysfs + "/class/net/") {}

  // `shape` must change with the set of interfaces.
  void refresh(const std::vector<InterfaceLine>& lines, uint64_t shape, int64_t mono_ns);
  // The role of an interface of the last refresh().
  ThroughputCounter::Role role(std::string_view name);

 private:
  NetFacts read_facts(const std::string& name) const;

  std::string folder_;
  Freshness freshness_;
  NetRoles roles_;
  std::string key_;  // kept to reuse its memory
};

}  // namespace monitor::agent
