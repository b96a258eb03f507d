// A host without a process, which records its answers.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "plugins/host/host.h"
#include "plugins/host/make.h"

namespace monitor::plugin_host {

class OpenSandbox final : public Sandbox {
 public:
  Status confine_loading(const std::vector<std::string>&) override { return {}; }
  Result<plugin_wire::Confined> confine(int, bool) override { return plugin_wire::Confined{}; }
  void lend(int) override {}
};

struct TestingHost {
  TestingHost()
      : host(
            sandbox,
            [this](std::string_view head, std::string_view rest) { take(std::string(head) + std::string(rest)); },
            make_native_or_script) {}

  void take(std::string_view packet) {
    auto message = assembler.take(packet);
    ASSERT_TRUE(message) << message.error().message();
    if (*message)
      said.push_back({(*message)->type, (*message)->instance, (*message)->number, std::string((*message)->payload)});
  }
  Status send(plugin_wire::Type type, std::string payload, uint32_t instance = 1) {
    for (const std::string& packet : plugin_wire::packets_of({type, instance, ++number, std::move(payload)})) {
      if (Status taken = host.take(packet); !taken) return taken;
    }
    return {};
  }
  // Sends a request. Returns the reason of a failure; empty: success.
  std::string ask(plugin_wire::Type type, std::string payload, uint32_t instance = 1) {
    said.clear();
    if (const Status sent = send(type, std::move(payload), instance); !sent)
      return "the host ends: " + sent.error().message();
    for (const auto& message : said) {
      if (message.type == plugin_wire::Type::kFailed) return message.payload;
    }
    return "";
  }
  std::string load(const std::string& source, const std::string& config = "{}", uint32_t instance = 1) {
    return ask(plugin_wire::Type::kLoad,
               plugin_wire::Load{plugin_wire::Kind::kScript, "script", config, source}.encode(), instance);
  }
  // Sends a series, so that ticks can contain it.
  void tell(uint32_t id, const metrics::Series& series) {
    std::string payload;
    plugin_wire::put_series(payload, id, series);
    ASSERT_EQ(ask(plugin_wire::Type::kSeries, payload), "");
  }
  // Runs a tick. Returns "unchanged", "dropped", or the points as "series=value ...".
  std::string run(const metrics::Tick& tick, uint32_t instance = 1) {
    std::string payload;
    plugin_wire::put_tick_head(payload, tick);
    payload += plugin_wire::bytes_of(tick.points);
    if (std::string failed = ask(plugin_wire::Type::kRun, payload, instance); !failed.empty())
      return "failed: " + failed;
    const auto head = plugin_wire::decode_result(said.back().payload, points);
    if (!head) return head.error().message();
    dropped = head->dropped;
    if (head->verdict == plugin_wire::Verdict::kUnchanged) return "unchanged";
    return head->verdict == plugin_wire::Verdict::kDropped ? "dropped" : "changed";
  }
  // The series that were defined with the last answer.
  std::vector<plugin_wire::NumberedSeries> defined() const {
    for (const auto& message : said) {
      if (message.type == plugin_wire::Type::kDefine) return *plugin_wire::decode_series(message.payload, true);
    }
    return {};
  }

  OpenSandbox sandbox;
  plugin_wire::Assembler assembler;
  std::vector<plugin_wire::Message> said;
  std::vector<metrics::Point> points;
  uint32_t dropped = 0;  // points of the last tick
  uint32_t number = 0;
  Host host;
};

inline metrics::Tick tick_of(std::vector<double> values) {
  metrics::Tick tick;
  tick.time_ns = 1'000'000'000;
  tick.due_mono_ns = 2'000'000'000;
  for (size_t i = 0; i < values.size(); ++i) {
    metrics::Point point;
    point.series = static_cast<uint32_t>(i);
    point.real = values[i];
    tick.points.push_back(point);
  }
  return tick;
}

}  // namespace monitor::plugin_host
