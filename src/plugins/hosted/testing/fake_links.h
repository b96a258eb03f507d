// Fake plugin hosts.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "plugins/hosted/hosted_plugin.h"

namespace monitor::agent {

// Records the messages sent to it. The test decides when and what it answers.
class FakeLink final : public HostLink {
 public:
  struct Sent {
    plugin_wire::Type type;
    uint32_t instance;
    uint32_t number;
    std::string payload;
  };
  uint32_t add(Listener& listener) override {
    listeners[++instances] = &listener;
    return instances;
  }
  void remove(uint32_t instance) override { listeners.erase(instance); }
  void send(plugin_wire::Type type, uint32_t instance, uint32_t number, std::string_view payload,
            std::string_view rest) override {
    sent.push_back({type, instance, number, std::string(payload) + std::string(rest)});
  }
  void kill(const std::string& reason) override { killed = reason; }
  std::optional<HostUsage> usage() override { return used; }
  bool ended() const override { return !killed.empty(); }

  void answer(plugin_wire::Type type, const std::string& payload, uint32_t instance = 1) {
    const auto at = listeners.find(instance);
    if (at != listeners.end()) at->second->on_message({type, instance, sent.back().number, payload});
  }
  void confined(uint32_t instance = 1) {
    answer(plugin_wire::Type::kConfined, plugin_wire::Confined{7}.encode(), instance);
  }
  void loaded(bool state = false, uint32_t instance = 1) {
    confined(instance);
    answer(plugin_wire::Type::kLoaded, plugin_wire::Loaded{"p", "1", state ? 1U : 0U}.encode(), instance);
  }
  void result(plugin_wire::Verdict verdict, const std::vector<metrics::Point>& points = {}, uint32_t dropped = 0) {
    std::string payload;
    plugin_wire::put_result_head(payload, {verdict, static_cast<uint32_t>(points.size()), dropped});
    payload += plugin_wire::bytes_of(points);
    answer(plugin_wire::Type::kResult, payload);
  }
  void end(const std::string& reason, bool guilty = true) {
    const auto all = std::exchange(listeners, {});
    for (const auto& [instance, listener] : all) listener->on_end(reason, guilty);
  }

  std::map<uint32_t, Listener*> listeners;
  std::vector<Sent> sent;
  std::string killed;
  std::optional<HostUsage> used;
  uint32_t instances = 0;
};

class FakeLinks final : public HostLinks {
 public:
  Result<std::shared_ptr<HostLink>> link_for(config::PluginKind, const std::string&) override {
    all.push_back(std::make_shared<FakeLink>());
    return std::shared_ptr<HostLink>(all.back());
  }
  FakeLink& last() { return *all.back(); }
  std::vector<std::shared_ptr<FakeLink>> all;
};

inline config::PluginEntry entry_of(bool drop = false) {
  config::PluginEntry entry;
  entry.name = "p";
  entry.kind = config::PluginKind::kNative;
  entry.drop_on_failure = drop;
  return entry;
}

}  // namespace monitor::agent
