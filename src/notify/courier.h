// Courier: a thread that delivers notifications to one integration, so that an unreachable receiver delays no other
// one.
//
// push() and the getters may be called on any thread, and never wait for the receiver. The destructor aborts the
// delivery in progress, which stays unfinished: the next process sends it again. The clock and the sink must outlive
// it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "notify/delivery_queue.h"
#include "notify/sender.h"
#include "telemetry/registry.h"

namespace monitor::notify {

// The metrics of one integration; shared by all couriers that it gets in the life of the process.
struct CourierMetrics {
  CourierMetrics(telemetry::Registry& registry, const std::string& receiver, const std::string& integration);

  telemetry::Counter& sent;
  telemetry::Counter& failed;  // attempts
  telemetry::Counter& retried;
  telemetry::Counter& refused;
  telemetry::Counter& expired;
  telemetry::Counter& queue_full;
  telemetry::Counter& superseded;
  telemetry::Gauge& waiting;
  telemetry::Gauge& waiting_bytes;
};

class Courier {
 public:
  // Called on the courier's thread, and by push(), when notifications have ended.
  using OnEnded = std::function<void(std::vector<Ended> ended)>;

  Courier(std::string receiver, const Integration& integration, std::unique_ptr<Sender> sender, const Clock& clock,
          std::shared_ptr<CourierMetrics> metrics, const QueueLimits& limits, OnEnded on_ended);
  ~Courier();
  Courier(const Courier&) = delete;
  Courier& operator=(const Courier&) = delete;

  void push(std::shared_ptr<const Notification> notification);
  // As DeliveryQueue::withdraw().
  void withdraw(const std::string& group_key);
  // Ends the thread, and returns the undelivered notifications. push() must not be called afterwards.
  std::vector<std::shared_ptr<const Notification>> stop();
  const Integration& integration() const { return integration_; }
  const std::string& receiver() const { return receiver_; }
  size_t waiting() const;
  std::string trouble() const;

 private:
  void run();
  void report(std::vector<Ended> ended);
  void note_size();

  const std::string receiver_;
  const Integration integration_;
  const std::unique_ptr<Sender> sender_;
  const Clock& clock_;
  const std::shared_ptr<CourierMetrics> metrics_;
  const OnEnded on_ended_;
  SystemRandom random_;
  mutable std::mutex mutex_;  // guards queue_
  std::condition_variable changed_;
  DeliveryQueue queue_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace monitor::notify
