// Bytes received and sent by network interfaces, their errors and dropped packets, from /proc/net/dev
// (proc_pid_net(5)). Every interface except the loopback can have series of its own; net_topology.h decides which ones
// the sum includes.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "inputs/collector.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/net_topology.h"
#include "inputs/proc/throughput_counter.h"

namespace monitor::agent {

// Skips malformed lines. Error: all lines below the header are malformed.
Status parse_net_dev(std::string_view text, std::vector<InterfaceLine>& out);

// The shape for KernelFile::read_table: depends on the names, not on the counters.
uint64_t net_dev_shape(std::string_view text);

class NetCollector final : public Collector {
 public:
  explicit NetCollector(const Roots& roots) : topology_(roots), file_(roots.host_namespace_path("net/dev")) {}
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return throughput_.wanted() || errors_.wanted(); }
  void adopt(const Collector& from) override;
  void forget_series() override {
    for (ThroughputCounter* const one : {&throughput_, &errors_, &dropped_}) one->forget_series();
  }
  Status collect(const Timestamp& now, TickBuilder& out) override;

 private:
  static constexpr std::array<std::string_view, 2> kDirections = {"receive", "transmit"};
  static constexpr ThroughputNames kNames = {"system.network.io.rate", "system.network.io", "network.io.direction",
                                             kDirections, "network.interface.name"};
  static constexpr ThroughputNames kErrors = {"system.network.errors.rate", "system.network.errors",
                                              "network.io.direction", kDirections, "network.interface.name"};
  static constexpr ThroughputNames kDropped = {"system.network.packet.dropped.rate", "system.network.packet.dropped",
                                               "network.io.direction", kDirections, "network.interface.name"};

  // Passes one pair of counters of each interface to its counter.
  template <typename Pair>
  void read(ThroughputCounter& counter, const Timestamp& now, TickBuilder& out, Pair pair) {
    counter.begin(now);
    for (const InterfaceLine& line : lines_) counter.device(line.name, pair(line), topology_.role(line.name), out);
    counter.finish(out);
  }

  NetTopology topology_;
  KernelFile file_;
  ThroughputCounter throughput_{kNames};
  ThroughputCounter errors_{kErrors};
  ThroughputCounter dropped_{kDropped};
  std::vector<InterfaceLine> lines_;
};

}  // namespace monitor::agent
