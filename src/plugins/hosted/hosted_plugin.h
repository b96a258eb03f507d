// A plugin that runs in a plugin host: it is started, given ticks, started again when it fails, and left alone when it
// keeps failing. Answers come later; a tick that is not answered within its deadline costs the host its life.
//
//   starting -> running -> waiting (a while after a failure) -> starting ...
//                       -> quarantined (after kMostFailures within kFailureWindow, or errors in a row) -> starting,
//                       once in kQuarantine
//
// On the agent's loop. Timers, table and links must outlive it. Callbacks are never called from inside a call, but for
// run() where the plugin is not running.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "config/settings.h"
#include "metrics/batch.h"
#include "plugins/hosted/host_link.h"
#include "plugins/hosted/line_limit.h"

namespace monitor::agent {

class HostedPlugin final : private HostLink::Listener {
 public:
  static constexpr int64_t kStartWithin = 5 * kNanosPerSecond;
  // Where the entry gives none. A script's own budget is of processor time, and ends it alone: ending the host of all
  // scripts is for what no budget ends, not for a machine that is busy.
  static constexpr int64_t kNativeDeadline = kNanosPerSecond;
  static constexpr int64_t kScriptDeadline = 10 * kNanosPerSecond;
  static constexpr int64_t kHandOverWithin = kNanosPerSecond;
  static constexpr size_t kMostFailures = 5;
  static constexpr int64_t kFailureWindow = 60 * kNanosPerSecond;
  static constexpr int64_t kFirstWait = 100 * kNanosPerMilli;  // doubles with every failure
  static constexpr int64_t kQuarantine = 600 * kNanosPerSecond;
  // Series that one plugin may add to the agent's table, which is for all of them.
  static constexpr size_t kMostNewSeries = 5'000;

  enum class Phase { kStarting, kRunning, kWaiting, kQuarantined };

  struct Outcome {
    enum class Kind {
      kUnchanged,
      kChanged,  // `points` are what is left
      kDropped,
      kFailed,  // the tick is lost
      kAbsent,  // the plugin does not run
    };
    Kind kind{};
    std::vector<metrics::Point>* points = nullptr;  // valid during the call
    uint64_t over = 0;                              // points left out because the table of series is full
    std::string reason;                             // of a failure
    uint64_t dropped = 0;                           // points that it says it took out
  };
  using Done = std::function<void(const Outcome&)>;

  HostedPlugin(Timers& timers, metrics::SeriesTable& table, HostLinks& links, config::PluginEntry entry);
  ~HostedPlugin() override;
  HostedPlugin(const HostedPlugin&) = delete;
  HostedPlugin& operator=(const HostedPlugin&) = delete;

  // Starts it for the first time; `settled` is called once, when it runs or why it cannot is known.
  void start(std::function<void()> settled);
  bool settled() const { return settled_; }
  // Why it could not be started for the first time; empty: it could, or is about to.
  const std::string& refusal() const { return refusal_; }

  // One tick at a time.
  void run(const metrics::Tick& tick, Done done);
  // Goes on with the state of another, which it keeps for as long as it takes. Ticks wait meanwhile.
  void take_over(std::shared_ptr<HostedPlugin> old);

  const config::PluginEntry& entry() const { return entry_; }
  Phase phase() const { return phase_; }
  uint64_t restarts() const { return restarts_; }
  // What it said of itself when it was loaded.
  const plugin_wire::Loaded& loaded() const { return loaded_; }
  // Why it failed last; empty: it never has.
  const std::string& error() const { return error_; }
  // All that it says goes to the log, however much it is.
  // Marks the numbers of series that its host knows: a plugin may keep them, and they never become another's.
  void mark_series(std::vector<bool>& held) const;
  // Starts its host anew, without its state, so that none of those is held any more; not while it is at work.
  void let_series_go();
  void lift_line_limit() { lines_.lift(); }
  // What its process used when it was looked at last; of a script nothing, since its host is not its own.
  const UsageWatch& usage() const { return usage_; }
  // What its host said of its sandbox, before any code of the plugin ran; nothing yet while it is being started.
  const std::optional<plugin_wire::Confined>& confined() const { return confined_; }
  // Called when phase or error have changed.
  void set_on_change(std::function<void()> call) { on_change_ = std::move(call); }

 private:
  using StateDone = std::function<void(Result<std::string>)>;

  void on_message(const plugin_wire::MessageView& message) override;
  void on_end(const std::string& reason, bool guilty) override;

  void begin();
  void load_failed(const std::string& reason);
  void on_loaded(const plugin_wire::MessageView& message);
  void on_confined(const plugin_wire::MessageView& message);
  void on_answer(const plugin_wire::MessageView& message);
  void look_at_usage();
  void on_result(const plugin_wire::MessageView& message);
  std::string take_points(uint64_t& over);
  void tell_over();
  std::string define(const plugin_wire::MessageView& message);
  void on_log(const plugin_wire::MessageView& message);
  void send_new_series(const metrics::Tick& tick);
  void send_run(const metrics::Tick& tick);
  // The process is not to be trusted any more.
  void host_failed(const std::string& reason);
  void count_failure(const std::string& reason);
  void run_failed(const std::string& reason);
  void answer(const Outcome& outcome);
  void drop_link();
  void forget_link();
  void save(StateDone done);
  void finish_state(Result<std::string> result);
  void handed_over(const std::string& trouble);
  void await_within(int64_t ns, std::string_view what);
  void look_at_deadline();
  void settle(std::string refusal);
  void changed() const;
  int64_t deadline_of_a_tick() const;
  int64_t now() const { return timers_.clock().mono_ns(); }

  Timers& timers_;
  metrics::SeriesTable& table_;
  HostLinks& links_;
  config::PluginEntry entry_;
  LineLimit lines_;  // that it says, and that say that it failed

  Phase phase_ = Phase::kStarting;
  std::shared_ptr<HostLink> link_;
  uint32_t instance_ = 0;
  uint32_t number_ = 0;                                // of the last request
  std::vector<bool> told_;                             // agent's series that this host knows
  size_t told_dense_ = 0;                              // all numbers below it are among them
  std::vector<std::optional<metrics::SeriesId>> own_;  // the host's own series, as the table has them
  size_t new_series_ = 0;
  bool told_over_ = false;  // that points are left out
  std::optional<plugin_wire::Confined> confined_;
  plugin_wire::Loaded loaded_;
  UsageWatch usage_;

  std::function<void()> settled_call_;
  bool settled_ = false;
  std::string refusal_;

  Done done_;                   // of the tick in hand
  metrics::Tick waiting_tick_;  // until state is handed over
  bool tick_waits_ = false;
  StateDone state_done_;
  std::shared_ptr<HostedPlugin> old_;
  bool handing_over_ = false;

  std::deque<int64_t> failures_;  // when
  size_t errors_in_a_row_ = 0;
  uint64_t restarts_ = 0;
  std::string error_;
  std::function<void()> on_change_;
  // What is awaited must come by then; 0: nothing is. The timer is left to fire and looks: moving it with every tick
  // would cost more than that.
  int64_t deadline_ns_ = 0;
  int64_t within_ns_ = 0;
  std::string late_;  // what is said when it does not
  Timers::TimerId deadline_timer_ = 0;
  int64_t timer_due_ns_ = 0;
  Timers::TimerId state_timer_ = 0;
  Timers::TimerId restart_timer_ = 0;
  Timers::TimerId usage_timer_ = 0;
  std::vector<metrics::Point> points_;  // reused
  std::string payload_;
};

// "running", "starting", "waiting", "quarantined".
std::string_view to_string(HostedPlugin::Phase phase);

}  // namespace monitor::agent
