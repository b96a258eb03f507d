// The chain of plugins: ticks go in at one end, in order, and what is left of them comes out at the other. A bounded
// queue stands before it, so that collecting never waits.
//
// Everything on the agent's loop. Table, clock and drops must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/plugins/plugin.h"
#include "base/clock.h"
#include "config/settings.h"

namespace monitor::agent {

// Told of everything that is lost on the way to a batch.
class DropSink {
 public:
  virtual ~DropSink() = default;
  struct What {
    std::string_view stage;
    std::string_view reason;
    std::string_view plugin;
    uint64_t batches = 0;
    uint64_t ticks = 0;
    uint64_t points = 0;
    int64_t time_ns = 0;
  };
  virtual void dropped(const What& what) = 0;
};

// How a plugin fares.
struct PluginState {
  std::string name;
  uint64_t ticks_in = 0;
  uint64_t ticks_dropped = 0;
  uint64_t points_dropped = 0;
  uint64_t failures = 0;
  int64_t last_duration_ns = 0;
};

class Chain {
 public:
  static constexpr size_t kQueueTicks = 1024;
  using Output = std::function<void(metrics::Tick&)>;

  Chain(metrics::SeriesTable& table, const Clock& clock, DropSink& drops, Output output);
  ~Chain();

  // A new list of plugins: those whose entry is unchanged go on with their state, others are started. A problem:
  // nothing was changed. Ticks already queued go through the new chain.
  std::optional<config::Problem> configure(const std::vector<config::PluginEntry>& entries);

  // Queues a tick; a full queue drops it, counted.
  void push(metrics::Tick tick);
  // Runs what is queued.
  void pump();
  size_t queued() const { return queue_.size(); }

  std::vector<PluginState> states() const;

 private:
  struct Stage {
    config::PluginEntry entry;
    std::unique_ptr<Plugin> plugin;
    PluginState state;
  };

  bool run(metrics::Tick& tick);
  bool run_stage(Stage& stage, metrics::Tick& tick);
  void finalize(Stage& stage);

  metrics::SeriesTable& table_;
  const Clock& clock_;
  DropSink& drops_;
  Output output_;
  std::vector<std::shared_ptr<Stage>> stages_;
  std::deque<metrics::Tick> queue_;
};

}  // namespace monitor::agent
