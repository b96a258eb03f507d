// LogTailer: follows the metric log for the page. Feeds the history, the ledger and the fleet, and publishes events. If
// the log cannot be read or the history cannot be written, it retries from the position stored in the history.
//
// run() blocks its thread until `stop` is set and wake() is called. The other methods are thread-safe.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/trusted_clock.h"
#include "consume/consumer.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"
#include "ui/web/event_broadcaster.h"
#include "ui/web/state.h"
#include "views/aggregate/data_time.h"
#include "views/history/store.h"

namespace monitor::analysis::web {

using OpenReader =
    std::function<Result<std::unique_ptr<metriclog::LogReader>>(const metriclog::ReaderOptions& options)>;

class LogTailer {
 public:
  // The arguments must outlive the object.
  LogTailer(OpenReader open, history::HistoryStore& history, State& state, EventBroadcaster& broadcaster,
            const Clock& clock, telemetry::Registry& registry, const std::atomic<bool>& stop);
  ~LogTailer();
  LogTailer(const LogTailer&) = delete;
  LogTailer& operator=(const LogTailer&) = delete;

  // After each commit of the history, on the thread of run(), while `wanted`: how far the data in it is. Call before
  // run().
  using OnCommitted = std::function<void(const DataTime::Reading& time)>;
  void tell_data_time(std::function<bool()> wanted, OnCommitted tell) {
    time_wanted_ = std::move(wanted);
    on_committed_ = std::move(tell);
  }

  void run();
  // Ends a wait for the log.
  void wake();

 private:
  class Session;
  Status read(Session& session);
  void wait_to_try_again(const Error& why);
  Status expire_history();
  void drop_agents_of_other_logs();
  void note_trouble(const std::string& text);
  void note_history(const std::string& text);
  Status history_failed(Status why);

  const OpenReader open_;
  std::function<bool()> time_wanted_;
  OnCommitted on_committed_;
  history::HistoryStore& history_;
  State& state_;
  EventBroadcaster& broadcaster_;
  const Clock& clock_;
  TrustedClock trusted_;
  telemetry::Registry& registry_;
  const std::atomic<bool>& stop_;
  bool log_is_well_ = false;  // the last interruption was not caused by the log
  std::mutex reader_mutex_;   // guards reader_, which wake() uses
  std::unique_ptr<metriclog::LogReader> reader_;
};

// The event of a tick, as one line of JSON.
std::string tick_event(const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns, bool late);

}  // namespace monitor::analysis::web
