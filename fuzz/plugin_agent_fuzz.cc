// The agent's side of the plugin protocol: a host may send anything while it processes ticks. Input: packets with a
// 16-bit length prefix. A packet of length 0 starts a tick or, if a tick is pending, advances the clock.
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string_view>

#include "base/testing/fake_clock.h"
#include "plugins/hosted/hosted_plugin.h"

namespace {

using namespace monitor;
using agent::HostedPlugin;

class FuzzLink final : public agent::HostLink {
 public:
  uint32_t add(Listener& listener) override {
    listener_ = &listener;
    return 1;
  }
  void remove(uint32_t) override { listener_ = nullptr; }
  void send(plugin_wire::Type, uint32_t, uint32_t request, std::string_view, std::string_view) override {
    number = request;
  }
  void kill(const std::string&) override { killed = true; }
  std::optional<agent::HostUsage> usage() override { return agent::HostUsage{0, 1, 4096}; }
  bool ended() const override { return killed; }

  void take(std::string_view packet) {
    auto message = assembler.take(packet);
    if (!message) {
      end("no message");
      return;
    }
    if (!*message || listener_ == nullptr) return;
    // A packet before the sandbox is complete ends the host, which would hide everything after it.
    if (!confined && (*message)->type != plugin_wire::Type::kConfined) {
      listener_->on_message({plugin_wire::Type::kConfined, 1, 0, plugin_wire::Confined{}.encode()});
    }
    confined = true;
    if (listener_ == nullptr) return;
    // Most requests must be answered, or the code behind them is never reached.
    if ((*message)->number == 0) (*message)->number = number;
    listener_->on_message(**message);
  }
  void end(const std::string& reason) {
    Listener* const listener = listener_;
    listener_ = nullptr;
    if (listener != nullptr) listener->on_end(reason, true);
  }

  plugin_wire::Assembler assembler;
  uint32_t number = 0;
  bool killed = false;
  bool confined = false;

 private:
  Listener* listener_ = nullptr;
};

class FuzzLinks final : public agent::HostLinks {
 public:
  Result<std::shared_ptr<agent::HostLink>> link_for(config::PluginKind, const std::string&) override {
    link = std::make_shared<FuzzLink>();
    return std::shared_ptr<agent::HostLink>(link);
  }
  std::shared_ptr<FuzzLink> link;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view rest(reinterpret_cast<const char*>(data), size);
  log_set_level(LogLevel::kOff);
  FakeTimers timers;
  metrics::SeriesTable table;
  metrics::Tick tick;
  for (int i = 0; i < 3; ++i) {
    metrics::Point point;
    point.series = *table.intern({"s" + std::to_string(i), {}, "1", metrics::Kind::kGauge, i == 1, 0});
    tick.points.push_back(point);
  }
  FuzzLinks links;
  config::PluginEntry entry;
  entry.name = "p";
  entry.kind = config::PluginKind::kNative;
  HostedPlugin plugin(timers, table, links, entry);
  plugin.start([] {});
  bool out = false;
  while (rest.size() >= 2) {
    uint16_t length = 0;
    std::memcpy(&length, rest.data(), sizeof length);
    rest.remove_prefix(2);
    const std::string_view packet = rest.substr(0, length);
    rest.remove_prefix(packet.size());
    if (!packet.empty()) {
      links.link->take(packet);
    } else if (out) {
      timers.advance(HostedPlugin::kNativeDeadline);
    } else {
      out = true;
      plugin.run(tick, [&](const HostedPlugin::Outcome& outcome) {
        out = false;
        if (outcome.points == nullptr) return;
        for (const metrics::Point& point : *outcome.points) {
          if (point.series >= table.size()) abort();
        }
      });
    }
  }
  return 0;
}
