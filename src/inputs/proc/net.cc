#include "inputs/proc/net.h"

#include <algorithm>
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
    fields.skip(1);
    interface.errors[0] = fields.number().value_or(0);
    interface.dropped[0] = fields.number().value_or(0);
    fields.skip(4);
    const auto sent = fields.number();
    fields.skip(1);
    interface.errors[1] = fields.number().value_or(0);
    interface.dropped[1] = fields.number().value_or(0);
    if (interface.name.empty() || !received || !sent) continue;
    // Rejects 8 EiB and more, which no interface has ever transferred.
    if (*received > INT64_MAX || *sent > INT64_MAX) continue;
    for (auto* const counters : {&interface.errors, &interface.dropped}) {
      for (uint64_t& one : *counters) one = std::min<uint64_t>(one, INT64_MAX);
    }
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
  std::array<ThroughputCounter::Wanted, 2> errors{};
  for (const auto& selection : selections) {
    if (selection.name == "net in") wanted[0] = ThroughputCounter::wanted_of(selection, selection.has("per_interface"));
    if (selection.name == "net out")
      wanted[1] = ThroughputCounter::wanted_of(selection, selection.has("per_interface"));
    if (selection.name == "net errors") {
      errors.fill(ThroughputCounter::wanted_of(selection, selection.has("per_interface")));
    }
  }
  throughput_.configure(wanted);
  errors_.configure(errors);
  dropped_.configure(errors);
}

void NetCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const NetCollector&>(from);
  throughput_.adopt(other.throughput_);
  errors_.adopt(other.errors_);
  dropped_.adopt(other.dropped_);
}

Status NetCollector::collect(const Timestamp& now, TickBuilder& out) {
  const auto text = file_.read_table(net_dev_shape);
  if (!text) return text.error();
  if (auto s = parse_net_dev(*text, lines_); !s) return s;
  topology_.refresh(lines_, file_.shape(), now.mono_ns);
  if (throughput_.wanted()) {
    read(throughput_, now, out,
         [](const InterfaceLine& line) { return std::array{line.received_bytes, line.sent_bytes}; });
  }
  if (errors_.wanted()) {
    read(errors_, now, out, [](const InterfaceLine& line) { return line.errors; });
    read(dropped_, now, out, [](const InterfaceLine& line) { return line.dropped; });
  }
  return {};
}

std::unique_ptr<Collector> make_net(const CollectorContext& context) {
  return std::make_unique<NetCollector>(context.roots);
}

}  // namespace monitor::agent
