// Where the chain gets plugins from that run in hosts. Interface of the chain; PluginHosts implements it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "config/settings.h"
#include "plugins/hosted/hosted_plugin.h"

namespace monitor::agent {

class HostedPlugins {
 public:
  struct Made {
    std::vector<std::shared_ptr<HostedPlugin>> plugins;  // one for each entry, where all run
    bool pending = false;                                // some are being started: ask again when told
    size_t refused = 0;                                  // which entry cannot be started, where `refusal` says why
    std::string refusal = {};
  };

  virtual ~HostedPlugins() = default;
  // Started beside what runs. What was asked for before and is not asked for now is let go.
  virtual Made make(const std::vector<config::PluginEntry>& entries) = 0;
};

}  // namespace monitor::agent
