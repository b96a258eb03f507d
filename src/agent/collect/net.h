// Bytes received and sent by network interfaces, from /proc/net/dev (proc_pid_net(5)).
//
// The sum counts interfaces with a device behind them (/sys/class/net/X/device), so that a bridge, a bond or a tunnel
// does not count the same bytes again; where there is none (a container), all but the loopback.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "agent/collect/collector.h"
#include "agent/collect/io_rates.h"
#include "agent/collect/kernel_file.h"

namespace monitor::agent {

struct InterfaceLine {
  std::string_view name;
  uint64_t received_bytes = 0;
  uint64_t sent_bytes = 0;
};

// Malformed lines are left out; an error only when there are lines below the head and none of them can be read.
Status parse_net_dev(std::string_view text, std::vector<InterfaceLine>& out);

class NetCollector final : public Collector {
 public:
  explicit NetCollector(const Roots& roots) : sysfs_(roots.sysfs), file_(roots.procfs + "/net/dev") {}
  std::string_view name() const override { return "net"; }
  void configure(const std::vector<config::MetricSelection>& selections) override;
  bool wanted() const override { return rates_.wanted(); }
  void adopt(const Collector& from) override;
  Status collect(const Moment& now, TickBuilder& out) override;

 private:
  static constexpr IoNames kNames = {"system.network.io.rate",
                                     "system.network.io",
                                     "network.io.direction",
                                     {"receive", "transmit"},
                                     "network.interface.name"};

  std::string sysfs_;
  KernelFile file_;
  IoRates rates_{kNames};
  std::vector<InterfaceLine> lines_;
  std::unordered_map<std::string, bool> has_device_;  // of every listed interface
};

}  // namespace monitor::agent
