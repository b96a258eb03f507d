#include "agent/collect/net.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::agent {

Status parse_net_dev(std::string_view text, std::vector<InterfaceLine>& out) {
  out.clear();
  bool any_line = false;
  for (int line_number = 0; !text.empty(); ++line_number) {
    const std::string_view line = next_line(text);
    if (line_number < 2 || trim(line).empty()) continue;  // two lines of headings
    any_line = true;
    // The name ends at the last colon: an alias ("eth0:1") has one of its own.
    const size_t colon = line.rfind(':');
    if (colon == std::string_view::npos) continue;
    InterfaceLine interface;
    interface.name = trim(line.substr(0, colon));
    Fields fields(line.substr(colon + 1));
    const auto received = fields.number();
    fields.skip(7);
    const auto sent = fields.number();
    if (interface.name.empty() || !received || !sent) continue;
    interface.received_bytes = *received;
    interface.sent_bytes = *sent;
    out.push_back(interface);
  }
  if (out.empty() && any_line) return Error(Code::kInvalidArgument, "/proc/net/dev: no line can be read");
  return {};
}

void NetCollector::configure(const std::vector<config::MetricSelection>& selections) {
  std::array<IoRates::Wanted, 2> wanted{};
  for (const auto& selection : selections) {
    if (selection.name == "net in") wanted[0] = IoRates::wanted_of(selection, selection.per_interface);
    if (selection.name == "net out") wanted[1] = IoRates::wanted_of(selection, selection.per_interface);
  }
  rates_.configure(wanted);
}

void NetCollector::adopt(const Collector& from) {
  const auto& other = static_cast<const NetCollector&>(from);
  rates_.adopt(other.rates_);
  has_device_ = other.has_device_;
}

Status NetCollector::collect(const Moment& now, TickBuilder& out) {
  const auto text = file_.read();
  if (!text) return text.error();
  if (auto s = parse_net_dev(*text, lines_); !s) return s;
  rates_.begin(now);
  bool any_device = false;
  for (const InterfaceLine& line : lines_) {
    rates_.thing(line.name, {line.received_bytes, line.sent_bytes}, out, [this](const std::string& name) {
      if (name == "lo") return false;
      struct stat info{};
      has_device_[name] = stat((sysfs_ + "/class/net/" + name + "/device").c_str(), &info) == 0;
      return true;
    });
  }
  if (has_device_.size() > lines_.size()) {
    std::erase_if(has_device_, [this](const auto& entry) {
      return std::none_of(lines_.begin(), lines_.end(), [&](const auto& line) { return line.name == entry.first; });
    });
  }
  for (const auto& [name, has] : has_device_) any_device = any_device || has;
  rates_.finish(out, [&](const std::string& name) { return !any_device || has_device_[name]; });
  return {};
}

}  // namespace monitor::agent
