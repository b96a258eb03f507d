// Stage: a plugin in its place in the chain, with its state and the time that it takes.
//
// On the agent's loop. A hosted plugin may answer after its stage has left the chain, so stages are shared.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "config/settings.h"
#include "config/status.h"
#include "plugins/api/plugin.h"
#include "plugins/chain/durations.h"
#include "plugins/hosted/hosted_plugins.h"

namespace monitor::agent {

// Values of PluginStatus::state besides the phases of a hosted plugin: for a plugin that a traced tick did not reach,
// and for a built-in plugin.
inline constexpr std::string_view kNotReached = "not reached";
inline constexpr std::string_view kRunning = "running";

struct Stage {
  config::PluginEntry entry;
  std::unique_ptr<Plugin> plugin;  // set for a built-in plugin; `hosted` for the others
  std::shared_ptr<HostedPlugin> hosted;
  config::PluginStatus state;
  Durations durations;

  // Enters the chain: as a new plugin, or in place of `old`, a plugin of the same name, whose state and counts it takes
  // over. Ends `old`.
  void enter(Stage* old);
  // Ends the plugin. It is not called after that.
  void finalize();
  // Its status now, with the figures of its host.
  config::PluginStatus status() const;

 private:
  void take_over(Stage& old);
};

using Stages = std::vector<std::shared_ptr<Stage>>;

}  // namespace monitor::agent
