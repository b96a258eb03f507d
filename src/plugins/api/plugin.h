// Plugin: the interface of a built-in plugin: initialize, run for every tick, finalize. docs/plugins.md is a tutorial.
//
// A plugin runs on the agent's loop and must not block. If it throws, the current tick is dropped and counted. A plugin
// lives as long as its entry in the configuration is unchanged.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/validate.h"
#include "metrics/batch.h"
#include "metrics/series.h"
#include "plugins/api/options.h"

namespace monitor::agent {

class Plugin {
 public:
  virtual ~Plugin() = default;

  // Called once, before the first tick. Reads the configuration from `options`; options that it does not read are
  // rejected as unknown. The table outlives the plugin.
  virtual void initialize(Options& options, metrics::SeriesTable& table) = 0;

  // May change the tick. Returns false to drop it.
  virtual bool run(metrics::Tick& tick) = 0;

  // Called once, after the last tick.
  virtual void finalize() {}

  // State for the plugin that replaces this one when the configuration changes; empty: none. The new plugin's restore()
  // is called after initialize(), with the result of save() of the old plugin.
  virtual std::string save() const { return {}; }
  virtual void restore(std::string_view state) { (void)state; }

  // From now on these numbers may denote other series, so the plugin must drop what it remembers about them. PerSeries
  // does that by itself.
  virtual void forget_series(const std::vector<metrics::SeriesId>& gone) { (void)gone; }

  // How many points run() removed from the last tick. Only a plugin that also adds points must override it: for such a
  // plugin, the change in the number of points does not show how many it removed.
  virtual size_t points_taken_out() const { return 0; }

  // Why it drops ticks and points; one of metrics::reason.
  virtual std::string_view drop_reason() const { return metrics::reason::kFiltered; }
};

// PerSeries: a value that is computed once per series and looked up for every point. It is computed again when a series
// number is reused. The table must outlive it.
template <typename T>
class PerSeries {
 public:
  PerSeries(const metrics::SeriesTable& table, std::function<T(metrics::SeriesId)> compute)
      : table_(table), compute_(std::move(compute)) {}

  T& at(metrics::SeriesId id) {
    if (epoch_ != table_.epoch()) {
      known_.clear();
      epoch_ = table_.epoch();
    }
    if (id >= known_.size()) known_.resize(id + 1);
    if (!known_[id]) known_[id] = compute_(id);
    return *known_[id];
  }

 private:
  const metrics::SeriesTable& table_;
  uint64_t epoch_ = 0;
  std::function<T(metrics::SeriesId)> compute_;
  std::vector<std::optional<T>> known_;
};

}  // namespace monitor::agent
