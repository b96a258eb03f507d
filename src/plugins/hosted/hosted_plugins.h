// HostedPlugins: provides the chain with plugins that run in hosts. PluginHosts implements it.
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
    std::vector<std::shared_ptr<HostedPlugin>> plugins;  // one per entry, if all run
    bool pending = false;                                // some are starting; call again after a change
    size_t refused = 0;  // index of the entry that cannot be started, if there is a `refusal`
    std::string refusal = {};
  };

  virtual ~HostedPlugins() = default;
  // Starts new plugins while the running ones continue. Releases plugins that an earlier call started and that are not
  // among `entries`.
  virtual Made make(const std::vector<config::PluginEntry>& entries) = 0;
};

}  // namespace monitor::agent
