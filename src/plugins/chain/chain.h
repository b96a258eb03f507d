// Chain: passes ticks through the configured plugins, in order. A bounded queue before it means that collecting never
// waits: built-in plugins run at once, hosted ones answer later, and until then the ticks behind are queued. One tick
// is in the chain at a time, so that a plugin's crash costs at most one.
//
// Everything on the agent's loop. Table, clock, drops and hosted plugins must outlive it.
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
#include "plugins/api/plugin.h"
#include "plugins/chain/durations.h"
#include "plugins/hosted/hosted_plugins.h"

namespace monitor::agent {

// Records everything that is lost on the way to a batch.
class DropSink {
 public:
  virtual ~DropSink() = default;
  // An empty incarnation is the running one.
  virtual void dropped(metrics::Drop drop) = 0;
};

// States in addition to a hosted plugin's phases: a plugin that a traced tick did not reach, and a built-in one.
inline constexpr std::string_view kNotReached = "not reached";
inline constexpr std::string_view kRunning = "running";

class Chain {
 public:
  static constexpr size_t kQueueTicks = 1024;
  using Output = std::function<void(metrics::Tick&)>;
  // Receives, for `--trace-plugins`, what a plugin did to a tick. If its state is not kRunning, it did not run, and
  // `failure` says why. `after` is null if the tick ends there, or ended before.
  using Trace = std::function<void(const config::PluginStatus& plugin, const metrics::Tick& before,
                                   const metrics::Tick* after, std::string_view failure)>;

  // With a null `hosted`, only built-in plugins exist.
  Chain(metrics::SeriesTable& table, const Clock& clock, DropSink& drops, Output output,
        HostedPlugins* hosted = nullptr);
  ~Chain();
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;

  // `call` is called after a hosted plugin has answered and ticks have gone through.
  void set_on_progress(std::function<void()> call) { on_progress_ = std::move(call); }
  // `call` is called when a hosted plugin's state changes.
  void set_on_change(std::function<void()> call) { on_change_ = std::move(call); }
  void set_trace(Trace trace) { trace_ = std::move(trace); }

  // Replaces the list of plugins before the next tick goes in. Plugins with an unchanged entry continue undisturbed; a
  // plugin that replaces one of its name takes over its state. Queued ticks go through the new chain. After a problem,
  // nothing has changed; if it is pending, plugins are starting, and configure() must be called again.
  std::optional<config::Problem> configure(const std::vector<config::PluginEntry>& entries);

  // Queues a tick. A full queue drops it, and counts the drop.
  void push(metrics::Tick tick);
  // Runs queued ticks until one must wait for a hosted plugin.
  void pump();
  size_t queued() const { return queue_.size(); }
  bool idle() const { return queue_.empty() && !has_current_; }
  // Drops and counts the ticks that have not come through.
  void give_up();

  // While it is idle. Hosted plugins may hold series by number: held_series() marks those that must not be reused,
  // let_series_go() makes the hosts release them, and forget_series() announces numbers that are reused from now on.
  std::vector<bool> held_series() const;
  void let_series_go();
  void forget_series(const std::vector<metrics::SeriesId>& gone);

  // Points in the queue and in the chain; points that plugins have added so far.
  uint64_t points_inside() const { return points_inside_; }
  uint64_t points_added() const { return points_added_; }

  std::vector<config::PluginStatus> states() const;

 private:
  struct Stage {
    config::PluginEntry entry;
    std::unique_ptr<Plugin> plugin;  // one of the two
    std::shared_ptr<HostedPlugin> hosted;
    config::PluginStatus state;
    Durations durations;
  };
  using Stages = std::vector<std::shared_ptr<Stage>>;
  // The tick in the chain, and the stage that it has come to.
  struct CurrentTick {
    metrics::Tick tick;
    uint64_t points = 0;  // as it came in, with those added and less those lost since
    size_t at = 0;        // stage
    // As the stage got it; the points only where they are needed.
    metrics::Tick before;
    size_t points_before = 0;
    int64_t started_ns = 0;
  };
  // What a stage made of the tick.
  struct StageResult {
    bool forward = true;            // false: the tick ends here
    bool changed = false;           //
    bool ran = true;                // false: the plugin does not run, and the tick ends here for that
    std::string_view reason = {};   // of what is lost
    std::string_view failure = {};  // empty: none
    uint64_t taken_out = 0;         // points, as the plugin says
    uint64_t over = 0;              // points for whose series the table had no room
  };

  std::optional<config::Problem> start_stages(const std::vector<config::PluginEntry>& entries, Stages& next,
                                              Stages& started);
  std::optional<config::Problem> start_hosted(const std::vector<config::PluginEntry>& entries, Stages& next);
  void swap();
  void replace(Stage& old, Stage& next);
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
  static void finalize(Stage& stage);

  metrics::SeriesTable& table_;
  const Clock& clock_;
  DropSink& drops_;
  Output output_;
  HostedPlugins* hosted_;
  std::function<void()> on_progress_;
  std::function<void()> on_change_;
  Trace trace_;
  std::shared_ptr<Stages> configured_ = std::make_shared<Stages>();
  std::shared_ptr<Stages> stages_ = configured_;  // in force
  std::deque<metrics::Tick> queue_;
  bool has_current_ = false;
  bool waiting_ = false;  // for a hosted plugin
  bool pumping_ = false;
  CurrentTick current_;  // valid while has_current_; reused, for its memory
  uint64_t points_inside_ = 0;
  uint64_t points_added_ = 0;
};

}  // namespace monitor::agent
