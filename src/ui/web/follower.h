// Follower: reads the log for the page: into the history, the ledger and the fleet, and onto the hub. A log that cannot
// be read, or a history that cannot be written, is waited for: it begins again where the history stands.
//
// run() blocks the thread that calls it until `stop`, after which wake() must be called; everything else is
// thread-safe.
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
#include "ui/web/hub.h"
#include "ui/web/state.h"
#include "views/history/store.h"

namespace monitor::analysis::web {

using OpenReader =
    std::function<Result<std::unique_ptr<metriclog::LogReader>>(const metriclog::ReaderOptions& options)>;

class Follower {
 public:
  // What is given must outlive it.
  Follower(OpenReader open, history::HistoryStore& history, State& state, Hub& hub, const Clock& clock,
           telemetry::Registry& registry, const std::atomic<bool>& stop);
  ~Follower();
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;

  void run();
  // Makes a wait for the log end.
  void wake();

 private:
  class Session;
  Status read(Session& session);
  void wait_to_try_again(const Error& why);
  void note_trouble(const std::string& text);
  void note_history(const std::string& text);
  Status history_failed(Status why);

  const OpenReader open_;
  history::HistoryStore& history_;
  State& state_;
  Hub& hub_;
  const Clock& clock_;
  TrustedClock trusted_;
  telemetry::Registry& registry_;
  const std::atomic<bool>& stop_;
  bool log_is_well_ = false;  // reading was broken off for another reason
  std::mutex reader_mutex_;   // guards reader_, which wake() reaches for
  std::unique_ptr<metriclog::LogReader> reader_;
};

// A tick as the page is told of it: one line of JSON.
std::string tick_event(const metrics::Batch& batch, const metrics::Frame& frame, int64_t time_ns, bool late);

}  // namespace monitor::analysis::web
