// What a built-in plugin is: initialize, run for every tick, finalize. docs/plugins.md builds one in ten minutes.
//
// A plugin runs in the agent's loop and must not block. It may throw: the tick in hand is lost then, and counted,
// nothing else. A plugin lives as long as its entry in the configuration stays the same, whatever else changes.
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

  // Once, before the first tick. Reads its configuration from `options`; what it does not read there is refused as
  // unknown. The table gives series their numbers and outlives the plugin.
  virtual void initialize(Options& options, metrics::SeriesTable& table) = 0;

  // Changes the tick as it likes. False drops it.
  virtual bool run(metrics::Tick& tick) = 0;

  // Once, after the last tick.
  virtual void finalize() {}

  // What one that takes its place (another configuration) goes on with; empty: nothing. restore() comes after
  // initialize(), with what save() of one of the same name gave.
  virtual std::string save() const { return {}; }
  virtual void restore(std::string_view state) { (void)state; }

  // These numbers of series may be of others from now on: what is remembered under them is dropped. PerSeries looks
  // after itself.
  virtual void forget_series(const std::vector<metrics::SeriesId>& gone) { (void)gone; }

  // Points that run() took out of the last tick, where it adds some as well: what is more and what is less cannot be
  // told from their number then.
  virtual size_t points_taken_out() const { return 0; }

  // Why it drops ticks and points, one of metrics::reason.
  virtual std::string_view drop_reason() const { return metrics::reason::kFiltered; }
};

// Something that is worked out once for every series, and looked up for every point; anew when numbers of series are
// given to others. The table must outlive it.
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
