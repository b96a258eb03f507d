// Packets on their way through the kernel: connection tracking (/proc/sys/net/netfilter, /proc/net/stat/nf_conntrack)
// and the processors' queues (/proc/net/softnet_stat). Only the files of selected metrics are read.
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "inputs/proc/collectors.h"
#include "inputs/proc/field_flows.h"
#include "inputs/proc/kernel_file.h"

namespace monitor::agent {

namespace {

// A field "softnet 1" is the second number of each line.
constexpr auto kFlows = std::to_array<FieldFlow>({
    {"conntrack", "conntrack count", "system.network.conntrack.count", "", "", "", "", true},
    {"conntrack", "conntrack limit", "system.network.conntrack.limit", "", "", "", "", true},
    {"conntrack", "conntrack insert_failed", "system.network.conntrack.failures", "system.network.conntrack.cause",
     "insert_failed"},
    {"conntrack", "conntrack drop", "system.network.conntrack.failures", "system.network.conntrack.cause", "dropped"},
    {"conntrack", "conntrack early_drop", "system.network.conntrack.failures", "system.network.conntrack.cause",
     "early_drop"},
    {"conntrack", "conntrack invalid", "system.network.conntrack.invalid"},
    {"softnet", "softnet 0", "system.network.softnet.processed"},
    {"softnet", "softnet 1", "system.network.softnet.dropped"},
    {"softnet", "softnet 2", "system.network.softnet.squeezed"},
});

std::optional<uint64_t> hexadecimal(std::string_view text) {
  uint64_t value = 0;
  const auto end = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (text.empty() || end.ec != std::errc() || end.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

class PacketsCollector final : public Collector {
 public:
  explicit PacketsCollector(const Roots& roots)
      : count_(roots.procfs + "/sys/net/netfilter/nf_conntrack_count"),
        limit_(roots.procfs + "/sys/net/netfilter/nf_conntrack_max"),
        conntrack_(roots.host_namespace_path("net/stat/nf_conntrack")),
        softnet_(roots.host_namespace_path("net/softnet_stat")) {}

  void configure(const std::vector<config::MetricSelection>& selections) override { flows_.configure(selections); }
  bool wanted() const override { return flows_.wanted(); }
  void adopt(const Collector& from) override { flows_.adopt(static_cast<const PacketsCollector&>(from).flows_); }
  void forget_series() override { flows_.forget_series(); }

  Status collect(const Timestamp& now, TickBuilder& out) override {
    flows_.begin();
    if (flows_.wants("conntrack")) {
      const auto text = count_.read();
      if (!text) return text.error();
      if (const auto count = parse_u64(trim(*text))) flows_.set("conntrack", "count", *count);
      const auto limit = limit_.read();
      if (limit) {
        if (const auto most = parse_u64(trim(*limit))) flows_.set("conntrack", "limit", *most);
      }
      if (const auto table = conntrack_.read()) take_conntrack(*table);
    }
    if (flows_.wants("softnet")) {
      const auto text = softnet_.read();
      if (!text) return text.error();
      take_softnet(*text);
    }
    flows_.finish(now, out);
    return {};
  }

 private:
  // A line of names, then one of hexadecimal numbers for each processor.
  void take_conntrack(std::string_view text) {
    std::vector<std::string_view> names;
    for (Fields fields(next_line(text)); !fields.rest().empty();) {
      if (const std::string_view name = fields.next(); !name.empty()) names.push_back(name);
    }
    while (!text.empty()) {
      Fields fields(next_line(text));
      for (const std::string_view name : names) {
        const auto value = hexadecimal(fields.next());
        if (value && name != "entries") flows_.set("conntrack", name, *value);
      }
    }
  }

  void take_softnet(std::string_view text) {
    constexpr size_t kColumns = 3;
    while (!text.empty()) {
      Fields fields(next_line(text));
      for (size_t column = 0; column < kColumns; ++column) {
        if (const auto value = hexadecimal(fields.next())) flows_.set("softnet", std::to_string(column), *value);
      }
    }
  }

  FieldFlows flows_{kFlows};
  KernelFile count_, limit_, conntrack_, softnet_;
};

}  // namespace

std::unique_ptr<Collector> make_packets(const CollectorContext& context) {
  return std::make_unique<PacketsCollector>(context.roots);
}

}  // namespace monitor::agent
