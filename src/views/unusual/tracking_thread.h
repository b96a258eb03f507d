// TrackingThread: runs a Tracker on a thread of its own, once a minute, a few seconds after the minute's end.
//
// start() and stop() on one thread; the board may be read on any. The clock and the registry must outlive it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "base/clock.h"
#include "telemetry/registry.h"
#include "views/unusual/tracker.h"

namespace monitor::analysis::unusual {

class TrackingThread {
 public:
  // `history_path` need not exist yet.
  TrackingThread(std::string history_path, const Clock& clock, telemetry::Registry& registry);
  ~TrackingThread() { stop(); }
  TrackingThread(const TrackingThread&) = delete;
  TrackingThread& operator=(const TrackingThread&) = delete;

  const ScoreBoard& board() const { return board_; }

  void start();
  // A pass that runs ends early.
  void stop();

 private:
  void run();
  bool stopping();
  void pass();

  const std::string path_;
  const Clock& clock_;
  ScoreBoard board_;
  telemetry::Gauge& series_;
  telemetry::Gauge& bytes_;
  telemetry::Gauge& seconds_;
  std::unique_ptr<Tracker> tracker_;  // used on the thread only, as failing_
  bool failing_ = false;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace monitor::analysis::unusual
