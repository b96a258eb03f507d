// TCP, UDP, IP and sockets: the counters of /proc/net/snmp, snmp6 and netstat, sockets of sockstat, and TCP sockets by
// state (tcp_states.h). Only the files of selected metrics are read.
#include <array>
#include <string_view>

#include "inputs/proc/collectors.h"
#include "inputs/proc/field_flows.h"
#include "inputs/proc/kernel_file.h"
#include "inputs/proc/processes.h"
#include "inputs/proc/tcp_states.h"

namespace monitor::agent {

namespace {

// A field "tcp 10" is the number of TCP sockets in the kernel's state 10.
constexpr auto kFlows = std::to_array<FieldFlow>({
    {"tcp", "tcp 1", "system.network.connection.count", "network.connection.state", "established", "network.transport",
     "tcp", true},
    {"tcp", "tcp 2", "system.network.connection.count", "network.connection.state", "syn_sent", "network.transport",
     "tcp", true},
    {"tcp", "tcp 3", "system.network.connection.count", "network.connection.state", "syn_received", "network.transport",
     "tcp", true},
    {"tcp", "tcp 4", "system.network.connection.count", "network.connection.state", "fin_wait_1", "network.transport",
     "tcp", true},
    {"tcp", "tcp 5", "system.network.connection.count", "network.connection.state", "fin_wait_2", "network.transport",
     "tcp", true},
    {"tcp", "tcp 6", "system.network.connection.count", "network.connection.state", "time_wait", "network.transport",
     "tcp", true},
    {"tcp", "tcp 7", "system.network.connection.count", "network.connection.state", "closed", "network.transport",
     "tcp", true},
    {"tcp", "tcp 8", "system.network.connection.count", "network.connection.state", "close_wait", "network.transport",
     "tcp", true},
    {"tcp", "tcp 9", "system.network.connection.count", "network.connection.state", "last_ack", "network.transport",
     "tcp", true},
    {"tcp", "tcp 10", "system.network.connection.count", "network.connection.state", "listen", "network.transport",
     "tcp", true},
    {"tcp", "tcp 11", "system.network.connection.count", "network.connection.state", "closing", "network.transport",
     "tcp", true},
    {"tcp", "Tcp InSegs", "system.network.tcp.segments", "network.io.direction", "receive"},
    {"tcp", "Tcp OutSegs", "system.network.tcp.segments", "network.io.direction", "transmit"},
    {"tcp", "Tcp RetransSegs", "system.network.tcp.retransmits"},
    {"tcp", "Tcp ActiveOpens", "system.network.tcp.connections.opened", "network.tcp.open", "active"},
    {"tcp", "Tcp PassiveOpens", "system.network.tcp.connections.opened", "network.tcp.open", "passive"},
    {"tcp", "Tcp AttemptFails", "system.network.tcp.connections.failed"},
    {"tcp", "Tcp EstabResets", "system.network.tcp.resets", "network.tcp.reset", "established"},
    {"tcp", "Tcp OutRsts", "system.network.tcp.resets", "network.tcp.reset", "sent"},
    {"tcp", "Tcp InErrs", "system.network.tcp.errors"},
    {"tcp", "TcpExt ListenOverflows", "system.network.tcp.listen.overflows"},
    {"tcp", "TcpExt ListenDrops", "system.network.tcp.listen.drops"},
    {"tcp", "TcpExt TCPTimeouts", "system.network.tcp.timeouts"},
    {"tcp", "TcpExt SyncookiesSent", "system.network.tcp.syncookies", "network.tcp.syncookie", "sent"},
    {"tcp", "TcpExt SyncookiesRecv", "system.network.tcp.syncookies", "network.tcp.syncookie", "received"},
    {"tcp", "TcpExt SyncookiesFailed", "system.network.tcp.syncookies", "network.tcp.syncookie", "failed"},
    {"tcp", "TcpExt TCPBacklogDrop", "system.network.tcp.packet.dropped", "network.tcp.queue", "backlog"},
    {"tcp", "TcpExt TCPRcvQDrop", "system.network.tcp.packet.dropped", "network.tcp.queue", "receive"},
    {"tcp", "TcpExt TCPReqQFullDrop", "system.network.tcp.packet.dropped", "network.tcp.queue", "request"},
    {"tcp", "TcpExt PruneCalled", "system.network.tcp.packet.dropped", "network.tcp.queue", "pruned"},
    {"udp", "Udp InDatagrams", "system.network.udp.datagrams", "network.io.direction", "receive", "network.type",
     "ipv4"},
    {"udp", "Udp OutDatagrams", "system.network.udp.datagrams", "network.io.direction", "transmit", "network.type",
     "ipv4"},
    {"udp", "Udp6 InDatagrams", "system.network.udp.datagrams", "network.io.direction", "receive", "network.type",
     "ipv6"},
    {"udp", "Udp6 OutDatagrams", "system.network.udp.datagrams", "network.io.direction", "transmit", "network.type",
     "ipv6"},
    {"udp", "Udp InErrors", "system.network.udp.errors", "network.type", "ipv4"},
    {"udp", "Udp6 InErrors", "system.network.udp.errors", "network.type", "ipv6"},
    {"udp", "Udp NoPorts", "system.network.udp.unreachable", "network.type", "ipv4"},
    {"udp", "Udp6 NoPorts", "system.network.udp.unreachable", "network.type", "ipv6"},
    {"udp", "Udp RcvbufErrors", "system.network.udp.buffer.errors", "network.io.direction", "receive", "network.type",
     "ipv4"},
    {"udp", "Udp SndbufErrors", "system.network.udp.buffer.errors", "network.io.direction", "transmit", "network.type",
     "ipv4"},
    {"udp", "Udp6 RcvbufErrors", "system.network.udp.buffer.errors", "network.io.direction", "receive", "network.type",
     "ipv6"},
    {"udp", "Udp6 SndbufErrors", "system.network.udp.buffer.errors", "network.io.direction", "transmit", "network.type",
     "ipv6"},
    {"ip", "Ip InReceives", "system.network.ip.packets", "network.io.direction", "receive", "network.type", "ipv4"},
    {"ip", "Ip OutRequests", "system.network.ip.packets", "network.io.direction", "transmit", "network.type", "ipv4"},
    {"ip", "Ip6 InReceives", "system.network.ip.packets", "network.io.direction", "receive", "network.type", "ipv6"},
    {"ip", "Ip6 OutRequests", "system.network.ip.packets", "network.io.direction", "transmit", "network.type", "ipv6"},
    {"ip", "Ip InDiscards", "system.network.ip.packet.dropped", "network.io.direction", "receive", "network.type",
     "ipv4"},
    {"ip", "Ip OutDiscards", "system.network.ip.packet.dropped", "network.io.direction", "transmit", "network.type",
     "ipv4"},
    {"ip", "Ip6 InDiscards", "system.network.ip.packet.dropped", "network.io.direction", "receive", "network.type",
     "ipv6"},
    {"ip", "Ip6 OutDiscards", "system.network.ip.packet.dropped", "network.io.direction", "transmit", "network.type",
     "ipv6"},
    {"ip", "Ip InHdrErrors", "system.network.ip.errors", "error.type", "header", "network.type", "ipv4"},
    {"ip", "Ip InAddrErrors", "system.network.ip.errors", "error.type", "address", "network.type", "ipv4"},
    {"ip", "Ip InUnknownProtos", "system.network.ip.errors", "error.type", "protocol", "network.type", "ipv4"},
    {"ip", "Ip OutNoRoutes", "system.network.ip.errors", "error.type", "no_route", "network.type", "ipv4"},
    {"ip", "Ip ReasmFails", "system.network.ip.errors", "error.type", "reassembly", "network.type", "ipv4"},
    {"ip", "Ip6 InHdrErrors", "system.network.ip.errors", "error.type", "header", "network.type", "ipv6"},
    {"ip", "Ip6 InAddrErrors", "system.network.ip.errors", "error.type", "address", "network.type", "ipv6"},
    {"ip", "Ip6 InUnknownProtos", "system.network.ip.errors", "error.type", "protocol", "network.type", "ipv6"},
    {"ip", "Ip6 OutNoRoutes", "system.network.ip.errors", "error.type", "no_route", "network.type", "ipv6"},
    {"ip", "Ip6 ReasmFails", "system.network.ip.errors", "error.type", "reassembly", "network.type", "ipv6"},
    {"ip", "Ip ForwDatagrams", "system.network.ip.forwarded", "network.type", "ipv4"},
    {"ip", "Ip6 OutForwDatagrams", "system.network.ip.forwarded", "network.type", "ipv6"},
    {"sockets", "TCP inuse", "system.network.socket.count", "network.transport", "tcp", "network.type", "ipv4", true},
    {"sockets", "TCP6 inuse", "system.network.socket.count", "network.transport", "tcp", "network.type", "ipv6", true},
    {"sockets", "UDP inuse", "system.network.socket.count", "network.transport", "udp", "network.type", "ipv4", true},
    {"sockets", "UDP6 inuse", "system.network.socket.count", "network.transport", "udp", "network.type", "ipv6", true},
    {"sockets", "RAW inuse", "system.network.socket.count", "network.transport", "raw", "network.type", "ipv4", true},
    {"sockets", "RAW6 inuse", "system.network.socket.count", "network.transport", "raw", "network.type", "ipv6", true},
    {"sockets", "sockets used", "system.network.socket.allocated", "", "", "", "", true},
    {"sockets", "TCP orphan", "system.network.tcp.socket.count", "network.tcp.socket", "orphaned", "", "", true},
    {"sockets", "TCP tw", "system.network.tcp.socket.count", "network.tcp.socket", "time_wait", "", "", true},
    {"sockets", "TCP alloc", "system.network.tcp.socket.count", "network.tcp.socket", "allocated", "", "", true},
    {"sockets", "TCP mem", "system.network.socket.memory.usage", "network.transport", "tcp", "", "", true},
    {"sockets", "UDP mem", "system.network.socket.memory.usage", "network.transport", "udp", "", "", true},
});

class InetCollector final : public Collector {
 public:
  explicit InetCollector(const Roots& roots)
      : states_(roots),
        snmp_(roots.host_namespace_path("net/snmp")),
        snmp6_(roots.host_namespace_path("net/snmp6")),
        netstat_(roots.host_namespace_path("net/netstat")),
        sockstat_(roots.host_namespace_path("net/sockstat")),
        sockstat6_(roots.host_namespace_path("net/sockstat6")) {}

  void configure(const std::vector<config::MetricSelection>& selections) override {
    flows_.configure(selections);
    const config::MetricSelection* const tcp = find_selection(selections, "tcp");
    with_states_ = tcp != nullptr && tcp->has("states");
  }
  bool wanted() const override { return flows_.wanted(); }
  void adopt(const Collector& from) override { flows_.adopt(static_cast<const InetCollector&>(from).flows_); }
  void forget_series() override { flows_.forget_series(); }

  Status collect(const Timestamp& now, TickBuilder& out) override {
    flows_.begin();
    const bool tcp = flows_.wants("tcp");
    const bool packets = flows_.wants("udp") || flows_.wants("ip");
    if (tcp || packets) {
      const auto text = snmp_.read();
      if (!text) return text.error();
      read_paired_lines(*text, flows_);
    }
    if (tcp) {
      const auto text = netstat_.read();
      if (!text) return text.error();
      read_paired_lines(*text, flows_);
    }
    // Without IPv6, its files are missing.
    if (packets) {
      if (const auto text = snmp6_.read()) read_snmp6(*text);
    }
    if (flows_.wants("sockets")) {
      const auto text = sockstat_.read();
      if (!text) return text.error();
      read_sockstat(*text);
      if (const auto text6 = sockstat6_.read()) read_sockstat(*text6);
    }
    if (with_states_) {
      const auto counts = states_.read();
      if (!counts) return counts.error();
      for (size_t state = 1; state < counts->size(); ++state)
        flows_.set("tcp", std::to_string(state), (*counts)[state]);
    }
    flows_.finish(now, out);
    return {};
  }

 private:
  // "Udp6InDatagrams   5": the names of both protocols end with the 6.
  void read_snmp6(std::string_view text) {
    while (!text.empty()) {
      Fields fields(next_line(text));
      const std::string_view name = fields.next();
      const size_t six = name.find('6');
      const auto value = fields.number();
      if (six == std::string_view::npos || !value) continue;
      flows_.set(name.substr(0, six + 1), name.substr(six + 1), *value);
    }
  }

  // Memory is in pages.
  void read_sockstat(std::string_view text) {
    while (!text.empty()) {
      Fields fields(next_line(text));
      std::string_view group = fields.next();
      if (!group.ends_with(':')) continue;
      group.remove_suffix(1);
      for (std::string_view name = fields.next(); !name.empty(); name = fields.next()) {
        const auto value = fields.number();
        if (!value) continue;
        const bool pages = name == "mem" && *value <= INT64_MAX / page_bytes_;
        flows_.set(group, name, pages ? *value * page_bytes_ : *value);
      }
    }
  }

  FieldFlows flows_{kFlows};
  TcpStates states_;
  KernelFile snmp_, snmp6_, netstat_, sockstat_, sockstat6_;
  bool with_states_ = false;
  uint64_t page_bytes_ = KernelUnits::of_system().page_bytes;
};

}  // namespace

std::unique_ptr<Collector> make_inet(const CollectorContext& context) {
  return std::make_unique<InetCollector>(context.roots);
}

}  // namespace monitor::agent
