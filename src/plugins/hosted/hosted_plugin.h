// HostedPlugin: a plugin that runs in a plugin host. It is started, receives ticks, is restarted when it fails, and is
// quarantined when it keeps failing. Answers come later. If a tick is not answered within its deadline, the host is
// killed.
//
//   starting -> running -> waiting (a while after a failure) -> starting ...
//                       -> quarantined (after kMostFailures within kFailureWindow, or errors in a row) -> starting,
//                       once in kQuarantine
//
// Loop's thread only. Timers, table and links must outlive it. Callbacks are never called from within a call, except by
// run() while the plugin is not running.
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
#include "plugins/hosted/answer_deadline.h"
#include "plugins/hosted/host_link.h"
#include "plugins/hosted/host_series.h"
#include "plugins/hosted/line_limit.h"

namespace monitor::agent {

class HostedPlugin final : private HostLink::Listener {
 public:
  static constexpr int64_t kStartWithin = 5 * kNanosPerSecond;
  // Default deadlines. A script has a budget of processor time, which only ends that script. Killing the host of all
  // scripts is the last resort, and must not happen just because the machine is busy.
  static constexpr int64_t kNativeDeadline = kNanosPerSecond;
  static constexpr int64_t kScriptDeadline = 10 * kNanosPerSecond;
  static constexpr int64_t kHandOverWithin = kNanosPerSecond;
  static constexpr size_t kMostFailures = 5;
  static constexpr int64_t kFailureWindow = 60 * kNanosPerSecond;
  static constexpr int64_t kFirstWait = 100 * kNanosPerMilli;  // doubles with every failure
  static constexpr int64_t kQuarantine = 600 * kNanosPerSecond;
  static constexpr size_t kMostNewSeries = HostSeries::kMostNew;

  enum class Phase { kStarting, kRunning, kWaiting, kQuarantined };

  struct Outcome {
    enum class Kind {
      kUnchanged,
      kChanged,  // `points` is the result
      kDropped,
      kFailed,  // the tick is lost
      kAbsent,  // the plugin is not running
    };
    Kind kind{};
    std::vector<metrics::Point>* points = nullptr;  // valid during the call
    uint64_t over = 0;                              // points omitted because the table of series is full
    std::string reason;                             // why it failed
    uint64_t dropped = 0;                           // points that the plugin reports as removed
  };
  using Done = std::function<void(const Outcome&)>;

  HostedPlugin(Timers& timers, metrics::SeriesTable& table, HostLinks& links, config::PluginEntry entry);
  ~HostedPlugin() override;
  HostedPlugin(const HostedPlugin&) = delete;
  HostedPlugin& operator=(const HostedPlugin&) = delete;

  // Starts the plugin for the first time. `settled` is called once, when it runs or has failed to start.
  void start(std::function<void()> settled);
  bool settled() const { return settled_; }
  // Why the first start failed; empty if it has not failed.
  const std::string& refusal() const { return refusal_; }

  // Runs one tick; call again only after `done`.
  void run(const metrics::Tick& tick, Done done);
  // Takes over the state of `old`, which is kept alive until then. Ticks wait as well.
  void take_over(std::shared_ptr<HostedPlugin> old);

  const config::PluginEntry& entry() const { return entry_; }
  Phase phase() const { return phase_; }
  uint64_t restarts() const { return restarts_; }
  // How the plugin described itself when it was loaded.
  const plugin_wire::Loaded& loaded() const { return loaded_; }
  // Why it failed last; empty: it never failed.
  const std::string& error() const { return error_; }
  // And when; Unix time, 0: never.
  int64_t error_ns() const { return error_ns_; }
  // Marks the series whose numbers its host knows. The plugin may have stored them, so they must not be reused.
  void mark_series(std::vector<bool>& held) const { series_.mark(held); }
  // Restarts its host without its state, which releases these series. Must not be called while it has a tick.
  void let_series_go();
  // Logs everything that the plugin says, without a rate limit.
  void lift_line_limit() { lines_.lift(); }
  // The last usage of its process; empty for a script, because scripts share a host.
  const UsageWatch& usage() const { return usage_; }
  // The host's report on the sandbox, sent before any code of the plugin ran; nothing while it is starting.
  const std::optional<plugin_wire::Confined>& confined() const { return confined_; }
  // `call` is called after phase or error have changed.
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
  void log_over();
  void on_log(const plugin_wire::MessageView& message);
  void send_run(const metrics::Tick& tick);
  // Called if the process cannot be trusted any more.
  void host_failed(const std::string& reason);
  void count_failure(const std::string& reason);
  // Returns true if it differs from the last one.
  bool note_error(const std::string& reason);
  void run_failed(const std::string& reason);
  void answer(const Outcome& outcome);
  void drop_link();
  void forget_link();
  void save(StateDone done);
  void finish_state(Result<std::string> result);
  void handed_over(const std::string& trouble);
  void settle(std::string refusal);
  void changed() const;
  int64_t deadline_of_a_tick() const;
  int64_t now() const { return timers_.clock().mono_ns(); }

  Timers& timers_;
  HostLinks& links_;
  config::PluginEntry entry_;
  LineLimit lines_;  // for lines that it logs, and lines that report its failures

  Phase phase_ = Phase::kStarting;
  std::shared_ptr<HostLink> link_;
  uint32_t instance_ = 0;
  uint32_t number_ = 0;  // of the last request
  HostSeries series_;
  bool over_logged_ = false;  // whether omitted points were logged
  std::optional<plugin_wire::Confined> confined_;
  plugin_wire::Loaded loaded_;
  UsageWatch usage_;

  std::function<void()> settled_call_;
  bool settled_ = false;
  std::string refusal_;

  Done done_;                   // of the current tick
  metrics::Tick waiting_tick_;  // waits until the state is taken over
  bool tick_waits_ = false;
  StateDone state_done_;
  std::shared_ptr<HostedPlugin> old_;
  bool handing_over_ = false;

  std::deque<int64_t> failures_;  // monotonic times
  size_t errors_in_a_row_ = 0;
  uint64_t restarts_ = 0;
  std::string error_;
  int64_t error_ns_ = 0;
  std::function<void()> on_change_;
  AnswerDeadline deadline_;
  Timers::TimerId state_timer_ = 0;
  Timers::TimerId restart_timer_ = 0;
  Timers::TimerId usage_timer_ = 0;
  std::vector<metrics::Point> points_;  // kept to reuse its memory
  std::string payload_;
};

// Returns "running", "starting", "waiting" or "quarantined".
std::string_view to_string(HostedPlugin::Phase phase);

}  // namespace monitor::agent
