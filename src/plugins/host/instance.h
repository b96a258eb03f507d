// Instance: a plugin in its host, native or a script, and its series: those that the agent has sent, and those that the
// plugin created. Not thread-safe.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "metrics/series.h"
#include "plugins/wire/wire.h"

namespace monitor::plugin_host {

// Series by number: the agent's, and the plugin's own, whose numbers contain plugin_wire::kOwnSeries.
class SeriesStore {
 public:
  void define(uint32_t id, metrics::Series series);
  // nullptr: unknown.
  const metrics::Series* find(uint32_t id) const;
  bool knows(uint32_t id) const {
    if (id < dense_) return true;
    if (id < agents_.size()) return agents_[id] != nullptr;
    return (id & plugin_wire::kOwnSeries) != 0 && (id & ~plugin_wire::kOwnSeries) < own_.size();
  }
  bool knows_all(std::span<const metrics::Point> points) const {
    return plugin_wire::all_below(points, dense_) ||
           std::all_of(points.begin(), points.end(), [this](const auto& point) { return knows(point.series); });
  }
  // Returns the number of a series. Errors: the series is invalid, or there are too many.
  Result<uint32_t> intern(metrics::Series series);
  // Returns own series that the agent does not know yet, which then count as known.
  std::string take_new();

 private:
  std::vector<std::unique_ptr<metrics::Series>> agents_;
  size_t dense_ = 0;  // all numbers below it are known
  std::deque<metrics::Series> own_;
  std::unordered_map<std::string, uint32_t> ids_;
  size_t sent_ = 0;
};

// A tick in the host. Its buffer is reused and larger than needed, because allocating it for every tick would cost more
// than a plugin's work.
struct HostTick {
  metrics::Tick head;  // the tick without its points
  std::vector<metrics::Point> room;
  size_t count = 0;    // number of points at the start of the buffer
  size_t dropped = 0;  // points that the plugin removed, even if it added others
};

class Instance {
 public:
  using Log = std::function<void(uint32_t level, std::string_view line)>;

  virtual ~Instance() = default;
  Instance() = default;
  Instance(const Instance&) = delete;
  Instance& operator=(const Instance&) = delete;

  // Errors: those that the plugin reports or causes.
  virtual Result<plugin_wire::Loaded> load(const plugin_wire::Load& load) = 0;
  // Changes the tick. The host validates the result afterwards; only the count must be within the buffer.
  virtual Result<plugin_wire::Verdict> run(HostTick& tick) = 0;
  virtual Result<std::string> save() = 0;
  virtual Status restore(std::string_view state) = 0;

  SeriesStore& series() { return series_; }
  const SeriesStore& series() const { return series_; }

 protected:
  SeriesStore series_;
};

// Reports that a plugin's finalization failed, when no request waits for an answer.
void print_last(std::string_view plugin, std::string_view reason);

}  // namespace monitor::plugin_host
