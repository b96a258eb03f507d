#include "views/unusual/tracking_thread.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace monitor::analysis::unusual {

namespace {

// Until most data of a minute has come and is committed.
constexpr int64_t kAfterMinuteNs = 5 * kNanosPerSecond;

}  // namespace

TrackingThread::TrackingThread(std::string history_path, const Clock& clock, telemetry::Registry& registry)
    : path_(std::move(history_path)),
      clock_(clock),
      series_(registry.gauge("monitor_unusual_series", "Series whose scores are kept up to date.")),
      bytes_(registry.gauge("monitor_unusual_bytes", "Memory for what is known of these series.")),
      seconds_(registry.gauge("monitor_unusual_pass_seconds", "How long the last update of the scores took.")) {}

void TrackingThread::start() {
  thread_ = std::thread([this] { run(); });
}

void TrackingThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool TrackingThread::stopping() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

void TrackingThread::run() {
  while (!stopping()) {
    pass();
    const int64_t now_ns = clock_.wall_ns();
    const int64_t next_ns = (minute_of(now_ns - kAfterMinuteNs) + 1) * kMinuteNs + kAfterMinuteNs;
    std::unique_lock lock(mutex_);
    wake_.wait_for(lock, std::chrono::nanoseconds(next_ns - now_ns), [this] { return stop_; });
  }
}

void TrackingThread::pass() {
  const int64_t start_ns = clock_.mono_ns();
  Status done;
  if (!tracker_) {
    auto opened = Tracker::open(path_, clock_, board_);
    if (opened) {
      tracker_ = std::move(*opened);
    } else {
      done = opened.error();
    }
  }
  if (tracker_) done = tracker_->pass(clock_.wall_ns(), [this] { return stopping(); });
  if (!done) {
    if (!failing_) {
      log_warning("the scores of unusual() cannot be updated; another attempt follows each minute",
                  {{"file", path_}, {"reason", done.error()}});
    }
    tracker_.reset();  // the file may have been replaced
  } else {
    series_.set(static_cast<double>(tracker_->series()));
    bytes_.set(static_cast<double>(tracker_->bytes()));
    seconds_.set(static_cast<double>(clock_.mono_ns() - start_ns) / kNanosPerSecond);
  }
  failing_ = !done;
}

}  // namespace monitor::analysis::unusual
