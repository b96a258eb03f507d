#include "notify/courier.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace monitor::notify {

namespace {

telemetry::Counter& dropped(telemetry::Registry& registry, const std::string& receiver, const std::string& integration,
                            const char* reason) {
  return registry.counter("monitor_notify_dropped_total", "Notifications that were given up, by reason.",
                          {{"receiver", receiver}, {"integration", integration}, {"reason", reason}});
}

}  // namespace

CourierMetrics::CourierMetrics(telemetry::Registry& r, const std::string& receiver, const std::string& integration)
    : sent(r.counter("monitor_notify_sent_total", "Notifications that receivers have accepted.",
                     {{"receiver", receiver}, {"integration", integration}})),
      failed(r.counter("monitor_notify_failed_total", "Attempts to notify a receiver that failed.",
                       {{"receiver", receiver}, {"integration", integration}})),
      retried(r.counter("monitor_notify_retried_total", "Attempts that repeated a failed one.",
                        {{"receiver", receiver}, {"integration", integration}})),
      refused(dropped(r, receiver, integration, "refused")),
      expired(dropped(r, receiver, integration, "expired")),
      queue_full(dropped(r, receiver, integration, "queue_full")),
      superseded(dropped(r, receiver, integration, "superseded")),
      waiting(r.gauge("monitor_notify_queue", "Notifications on their way.",
                      {{"receiver", receiver}, {"integration", integration}})),
      waiting_bytes(r.gauge("monitor_notify_queue_bytes", "Memory of the notifications on their way.",
                            {{"receiver", receiver}, {"integration", integration}})) {}

Courier::Courier(std::string receiver, const Integration& integration, std::unique_ptr<Sender> sender,
                 const Clock& clock, std::shared_ptr<CourierMetrics> metrics, const QueueLimits& limits,
                 OnEnded on_ended)
    : receiver_(std::move(receiver)),
      integration_(integration),
      sender_(std::move(sender)),
      clock_(clock),
      metrics_(std::move(metrics)),
      on_ended_(std::move(on_ended)),
      queue_(limits, random_),
      thread_([this] { run(); }) {}

Courier::~Courier() { (void)stop(); }

std::vector<std::shared_ptr<const Notification>> Courier::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stop_.notify_all();
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
  metrics_->waiting.set(0);
  metrics_->waiting_bytes.set(0);
  return queue_.rest();
}

void Courier::push(std::shared_ptr<const Notification> notification) {
  std::vector<Ended> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = queue_.push(std::move(notification));
    note_size();
  }
  changed_.notify_all();
  report(std::move(ended));
}

void Courier::withdraw(const std::string& group_key) {
  std::vector<Ended> ended;
  {
    const std::lock_guard lock(mutex_);
    ended = queue_.withdraw(group_key);
    note_size();
  }
  report(std::move(ended));
}

size_t Courier::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

std::string Courier::trouble() const {
  const std::lock_guard lock(mutex_);
  return queue_.trouble();
}

void Courier::note_size() {
  metrics_->waiting.set(static_cast<double>(queue_.size()));
  metrics_->waiting_bytes.set(static_cast<double>(queue_.bytes()));
}

void Courier::report(std::vector<Ended> ended) {
  for (const Ended& one : ended) {
    switch (one.ending) {
      case Ending::kSent:
        metrics_->sent.add();
        continue;
      case Ending::kRefused:
        metrics_->refused.add();
        break;
      case Ending::kExpired:
        metrics_->expired.add();
        break;
      case Ending::kQueueFull:
        metrics_->queue_full.add();
        break;
      case Ending::kSuperseded:
        metrics_->superseded.add();
        log_info("a notification was superseded before the receiver could be reached",
                 {{"receiver", receiver_}, {"integration", integration_.name}, {"notification", one.notification->id}});
        continue;
    }
    log_error("a notification was given up", {{"receiver", receiver_},
                                              {"integration", integration_.name},
                                              {"notification", one.notification->id},
                                              {"group", one.notification->group_key},
                                              {"attempts", one.attempts},
                                              {"reason", one.answer}});
  }
  if (!ended.empty()) on_ended_(std::move(ended));
}

void Courier::run() {
  std::unique_lock lock(mutex_);
  bool failing = false;
  while (!stop_) {
    std::vector<Ended> ended;
    const auto notification = queue_.next(clock_.wall_ns() / kNanosPerMilli, clock_.mono_ns() / kNanosPerMilli, ended);
    note_size();
    if (!notification && ended.empty()) {
      const int64_t due_ms = queue_.next_due_ms();
      constexpr int64_t kLookAgainMs = 60'000;
      const int64_t wait_ms = due_ms == INT64_MAX
                                  ? kLookAgainMs
                                  : std::clamp<int64_t>(due_ms - clock_.mono_ns() / kNanosPerMilli, 1, kLookAgainMs);
      changed_.wait_for(lock, std::chrono::milliseconds(wait_ms));
      continue;
    }
    if (notification) {
      lock.unlock();
      if (failing) metrics_->retried.add();
      const Outcome outcome = sender_->send(*notification, stop_);
      lock.lock();
      // What was aborted is neither a failure nor an attempt; the next process sends it.
      if (stop_ && outcome.kind == Outcome::Kind::kRetry) break;
      failing = outcome.kind == Outcome::Kind::kRetry;
      if (outcome.kind != Outcome::Kind::kSent) metrics_->failed.add();
      auto done = queue_.finish(outcome, clock_.mono_ns() / kNanosPerMilli);
      if (done) ended.push_back(std::move(*done));
      note_size();
      if (failing) {
        log_warning("a receiver could not be notified; it is tried again",
                    {{"receiver", receiver_}, {"integration", integration_.name}, {"reason", outcome.answer}});
      }
    }
    lock.unlock();
    report(std::move(ended));
    lock.lock();
  }
}

}  // namespace monitor::notify
