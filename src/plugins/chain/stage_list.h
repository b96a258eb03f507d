// StageList: the plugins of a chain in order. A new list is configured at any time, and applied between two ticks.
//
// On the agent's loop. Table and hosted plugins must outlive it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "config/settings.h"
#include "metrics/series.h"
#include "plugins/chain/stage.h"
#include "plugins/hosted/hosted_plugins.h"

namespace monitor::agent {

class StageList {
 public:
  // Without `hosted` (nullptr), only built-in plugins exist. `on_change` is called when a hosted plugin's state
  // changes.
  StageList(metrics::SeriesTable& table, HostedPlugins* hosted, std::function<void()> on_change);
  ~StageList();
  StageList(const StageList&) = delete;
  StageList& operator=(const StageList&) = delete;

  // Prepares the next list. Plugins with an unchanged entry are reused. If a problem is returned, nothing has changed;
  // if it is pending, plugins are starting, and configure() must be called again.
  std::optional<config::Problem> configure(const std::vector<config::PluginEntry>& entries);
  // Applies the list that was configured last. Call while no tick is in the chain. False: it is applied already.
  bool apply();
  // Removes all plugins.
  void clear();

  // The applied list.
  const Stages& applied() const { return *applied_; }

  // Hosted plugins may refer to series by number: held_series() marks the numbers that must not be reused,
  // let_series_go() makes the hosts release them, and forget_series() announces numbers that will be reused.
  std::vector<bool> held_series() const;
  void let_series_go();
  void forget_series(const std::vector<metrics::SeriesId>& gone);

 private:
  std::optional<config::Problem> start_builtin(const std::vector<config::PluginEntry>& entries, Stages& next,
                                               Stages& started);
  std::optional<config::Problem> start_hosted(const std::vector<config::PluginEntry>& entries, Stages& next);

  metrics::SeriesTable& table_;
  HostedPlugins* hosted_;
  std::function<void()> on_change_;
  std::shared_ptr<Stages> configured_ = std::make_shared<Stages>();
  std::shared_ptr<Stages> applied_ = configured_;
};

}  // namespace monitor::agent
