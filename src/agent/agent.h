// Agent: the main loop. When a tick is due, it reads the source, passes the tick through the chain, and encodes the
// result. It closes batches, assigns their sequences, appends them to the spool, and notifies the output.
//
//   timer -> TickSource -> Chain -> BatchWriter -> Spool -> Output
//
// It also applies the configuration. Scheduling lives in scheduler.h.
// All methods run on the loop's thread. Everything passed by reference must outlive the agent.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "agent/grid_clock.h"
#include "agent/reports.h"
#include "agent/scheduler.h"
#include "agent/series_room.h"
#include "base/event_loop.h"
#include "config/engine.h"
#include "inputs/tick_source.h"
#include "metrics/encode.h"
#include "plugins/chain/chain.h"
#include "spool/spool.h"

namespace monitor::agent {

struct AgentOptions {
  std::string agent_id;
  std::string hostname;
  std::string incarnation;  // 16 bytes
  std::string version;
  int payload = 1;  // version of the batches that it makes: 1 or 2
};

struct AgentStats {
  uint64_t ticks_due = 0;
  uint64_t ticks_missed = 0;
  uint64_t points_made = 0;
  uint64_t batches = 0;
  uint64_t heartbeats = 0;
  int64_t last_tick_duration_ns = 0;
  int64_t configured_ns = 0;  // Unix time at which the current configuration was applied
};

class Agent final : public config::Applier {
 public:
  // `hosted` provides plugins that run in hosts; nullptr: only built-in plugins exist.
  Agent(Timers& timers, AgentOptions options, metrics::SeriesTable& table, TickSource& source,
        HostedPlugins* hosted = nullptr);
  ~Agent() override;

  // Call before the first configuration. `on_batch` is called after each append.
  void attach(Spool& spool, std::function<void()> on_batch);

  std::optional<config::Problem> apply(const config::Settings& settings, int64_t revision) override;
  // Stops collecting. Ticks in the chain pass through it; then the open batch is closed and `done` is called. This
  // happens at once unless a hosted plugin is busy, and in any case within kStopWithin.
  void stop(std::function<void()> done = {});
  // `call` is called when a plugin's state changes, and when the series table becomes full or has room again.
  void set_on_plugin_change(std::function<void()> call) {
    on_change_ = call;
    chain_.set_on_change(std::move(call));
  }

  // The spool's listener.
  Reports& reports() { return reports_; }
  const Reports& reports() const { return reports_; }
  const AgentStats& stats() const { return stats_; }
  std::vector<config::PluginStatus> plugins() const { return chain_.states(); }
  // When the first tick at or after `mono_ns` will be due (monotonic); INT64_MAX before the first configuration.
  int64_t tick_after(int64_t mono_ns) const { return scheduler_.due_after(mono_ns); }
  size_t queued() const { return chain_.queued(); }
  const metrics::SeriesTable& series() const { return table_; }
  // True while points are dropped because the series table is full.
  bool series_full() const { return series_room_.full(); }

 private:
  void start(const Timestamp& now);
  void open(const Timestamp& now);
  void schedule_tick();
  void on_tick();
  void collect(size_t schedule, const Timestamp& now, int64_t due_mono_ns);
  void take(uint64_t over);
  void configure_source(const std::vector<uint64_t>& gone);
  void join(size_t schedule);
  void on_output(metrics::Tick& tick);
  void add_in_parts(const metrics::Tick& tick);
  void drop_unfit(metrics::Tick& tick);
  void make_room();
  bool batch_is_due() const;
  void close_batch();
  void close_heartbeat();
  void close_final();
  void append(uint64_t ticks, uint64_t points);
  void schedule_heartbeat();
  int64_t with_tick(int64_t mono_ns) const;
  void summarize();
  void on_chain();
  void finish_stop();

  Timers& timers_;
  AgentOptions options_;
  metrics::SeriesTable& table_;
  TickSource& source_;
  Reports reports_;
  Chain chain_;
  const std::unique_ptr<metrics::BatchWriter> writer_;
  metrics::BatchWriter& encoder_;  // writer_
  SeriesRoom series_room_;
  Spool* spool_ = nullptr;
  std::function<void()> on_batch_;

  config::Settings settings_;
  int64_t revision_ = 0;
  bool running_ = false;
  AgentStats stats_;
  AgentStats summarized_;
  metrics::Tick tick_;  // kept to reuse its memory
  Scheduler scheduler_;
  GridClock grid_;
  int64_t batch_first_due_ = 0;  // monotonic time at which the open batch's first tick was due
  int64_t last_append_mono_ = 0;
  uint64_t points_to_come_ = 0;  // points of a tick spread over several batches that are still to be encoded
  std::function<void()> on_change_;
  uint64_t next_sequence_ = 1;
  Timers::TimerId tick_timer_ = 0;
  Timers::TimerId heartbeat_timer_ = 0;
  Timers::TimerId summary_timer_ = 0;
  Timers::TimerId stop_timer_ = 0;
  bool stopping_ = false;
  bool final_ = false;  // the next batch is the last one
  std::function<void()> on_stopped_;
};

}  // namespace monitor::agent
