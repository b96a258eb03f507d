// Chain: passes ticks through the configured plugins, in order. Ticks wait in a bounded queue, so that collecting never
// waits for a plugin: built-in plugins run at once, and hosted ones answer later, while the ticks behind are queued.
// Only one tick is in the chain at a time, so that a plugin's crash costs at most one tick.
//
// Call everything on the agent's loop. Table, clock, drops and hosted plugins must outlive it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/settings.h"
#include "config/status.h"
#include "metrics/batch.h"
#include "plugins/chain/stage.h"
#include "plugins/chain/stage_list.h"
#include "plugins/hosted/hosted_plugins.h"

namespace monitor::agent {

// Receives everything that is lost before it is in a batch.
class DropSink {
 public:
  virtual ~DropSink() = default;
  // An empty incarnation means the running one.
  virtual void dropped(metrics::Drop drop) = 0;
};

class Chain {
 public:
  static constexpr size_t kQueueTicks = 1024;
  using Output = std::function<void(metrics::Tick&)>;
  // For `--trace-plugins`: receives what a plugin did to a tick. If its state is not kRunning, the plugin did not run,
  // and `failure` says why. `after` is null if the tick ended at this plugin or before it.
  using Trace = std::function<void(const config::PluginStatus& plugin, const metrics::Tick& before,
                                   const metrics::Tick* after, std::string_view failure)>;

  // Without `hosted` (nullptr), only built-in plugins exist.
  Chain(metrics::SeriesTable& table, const Clock& clock, DropSink& drops, Output output,
        HostedPlugins* hosted = nullptr);
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  // `call` is called after a hosted plugin has answered and ticks have passed through the chain.
  void set_on_progress(std::function<void()> call) { on_progress_ = std::move(call); }
  // `call` is called when a hosted plugin's state changes.
  void set_on_change(std::function<void()> call) { on_change_ = std::move(call); }
  void set_trace(Trace trace) { trace_ = std::move(trace); }

  // Replaces the list of plugins before the next tick enters. Plugins with an unchanged entry continue undisturbed; a
  // plugin that replaces one with the same name takes over its state. Queued ticks pass through the new chain. If a
  // problem is returned, nothing has changed; if it is pending, plugins are starting, and configure() must be called
  // again.
  std::optional<config::Problem> configure(const std::vector<config::PluginEntry>& entries);

  // Queues a tick. If the queue is full, drops and counts the tick.
  void push(metrics::Tick tick);
  // Runs queued ticks until one must wait for a hosted plugin.
  void pump();
  size_t queued() const { return queue_.size(); }
  bool idle() const { return queue_.empty() && !has_current_; }
  // Drops and counts all ticks that are still in the queue or in the chain.
  void give_up();

  // For use while the chain is idle; see StageList.
  std::vector<bool> held_series() const { return stages_.held_series(); }
  void let_series_go() { stages_.let_series_go(); }
  void forget_series(const std::vector<metrics::SeriesId>& gone) { stages_.forget_series(gone); }

  // Points in the queue and in the chain, and points that plugins have added so far.
  uint64_t points_inside() const { return points_inside_; }
  uint64_t points_added() const { return points_added_; }

  std::vector<config::PluginStatus> states() const;

 private:
  // The tick in the chain, and the stage that it has reached.
  struct CurrentTick {
    metrics::Tick tick;
    uint64_t points = 0;  // points that entered, plus those added and minus those lost since
    size_t at = 0;        // stage
    // The tick as the stage received it; with points only if they are needed.
    metrics::Tick before;
    size_t points_before = 0;
    int64_t started_ns = 0;
  };
  // What a stage did to the tick.
  struct StageResult {
    bool forward = true;            // false: the tick ends here
    bool changed = false;           //
    bool ran = true;                // false: the plugin is not running, and the tick ends here because of that
    std::string_view reason = {};   // why points or the tick were lost
    std::string_view failure = {};  // empty: none
    uint64_t taken_out = 0;         // points removed, as the plugin reports
    uint64_t over = 0;              // points for whose series the table had no room
  };

  // Applies the configured plugins. Called while no tick is in the chain.
  void apply();
  void step();
  void run_builtin(Stage& stage);
  void run_hosted(const std::shared_ptr<Stage>& stage);
  void on_outcome(const std::shared_ptr<Stage>& stage, const HostedPlugin::Outcome& outcome);
  void take_outcome(Stage& stage, const HostedPlugin::Outcome& outcome);
  void pass_absent(Stage& stage, const HostedPlugin::Outcome& outcome);
  void finish_stage(Stage& stage, StageResult result);
  void account(Stage& stage, const StageResult& result, uint64_t lost, uint64_t over);
  void trace_absent(const Stage& stage, const std::string& reason);
  void end_tick(bool forward);

  const Clock& clock_;
  DropSink& drops_;
  Output output_;
  std::function<void()> on_progress_;
  std::function<void()> on_change_;
  Trace trace_;
  std::deque<metrics::Tick> queue_;
  bool has_current_ = false;
  bool waiting_ = false;  // for a hosted plugin
  bool pumping_ = false;
  CurrentTick current_;  // valid while has_current_; kept to reuse its memory
  uint64_t points_inside_ = 0;
  uint64_t points_added_ = 0;
  StageList stages_;  // last: a plugin that ends may still answer
};

}  // namespace monitor::agent
