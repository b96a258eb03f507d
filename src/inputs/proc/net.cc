#include "inputs/proc/net.h"

#include <functional>

#include "base/text.h"
#include "inputs/proc/collectors.h"

namespace monitor::agent {

Status parse_net_dev(std::string_view text, std::vector<InterfaceLine>& out) {
  out.clear();
  bool any_line = false;
  for (int line_number = 0; !text.empty(); ++line_number) {
    const std::string_view line = next_line(text);
    if (line_number < 2 || trim(line).empty()) continue;  // two header lines
    any_line = true;
    // The last colon ends the name, because the name of an alias ("eth0:1") contains a colon.
    const size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) continue;
    InterfaceLine interface;
    interface.name = trim(line.substr(0, colon));
    Fields fields(line.substr(colon + 1));
    const auto received = fields.number();
    fields.skip(7);
    const auto sent = fields.number();
    if (interface.name.empty() || !received || !sent) continue;
    // Rejects 8 EiB and more, which no interface has ever transferred.
    if (*received > INT64_MAX || *sent > INT64_MAX) continue;
    interface.received_bytes = *received;
    interface.sent_bytes = *sent;
    out.push_back(interface);
  }
  if (out.empty() && any_line) return Error(Code::kInvalidArgument, "/proc/net/dev: no line can be read");
  return {};
}

uint64_t net_dev_shape(std::string_view text) {
  uint64_t hash = 0;
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    hash = hash * 31 + std::hash<std::string_view>{}(line.substr(0, line.rfind(':')));
  }
  return hash;
}

void NetCollector::configure(const std::vector<config::MetricSelection>& selections) {
  std::array<ThroughputCounter::Wanted, 2> wanted{};
  for (const auto& selection : selections) {
    if (selection.name == "net in") wanted[0] = ThroughputCounter::wanted_of(selection, selection.has("per_interface"));
    if (selection.name == "net out")
      wanted[1] = ThroughputCounter::wanted_of(selection, selection.has("per_interface"));
  }
  throughput_.configure(wanted);
}

void NetCollector::adopt(const Collector& from) {
  throughput_.adopt(static_cast<const NetCollector&>(from).throughput_);
}

Status NetCollector::collect(const Timestamp& now, TickBuilder& out) {
  const auto text = file_.read_table(net_dev_shape);
  if (!text) return text.error();
  if (auto s = parse_net_dev(*text, lines_); !s) return s;
  topology_.refresh(lines_, file_.shape(), now.mono_ns);
  throughput_.begin(now);
  for (const InterfaceLine& line : lines_) {
    throughput_.device(line.name, {line.received_bytes, line.sent_bytes}, topology_.role(line.name), out);
  }
  throughput_.finish(out);
  return {};
}

std::unique_ptr<Collector> make_net(const CollectorContext& context) {
  return std::make_unique<NetCollector>(context.roots);
}

}  // namespace monitor::agent
