// For tests: records or ignores the outcomes that a log's writer reports.
#pragma once

#include <mutex>
#include <span>
#include <vector>

#include "metriclog/log.h"

namespace monitor::metriclog {

// Collects deliveries on any thread.
class Deliveries final : public DeliveryListener {
 public:
  void on_delivered(std::span<const Delivery> deliveries) override {
    const std::lock_guard lock(mutex_);
    all_.insert(all_.end(), deliveries.begin(), deliveries.end());
  }
  void on_reset() override {
    const std::lock_guard lock(mutex_);
    ++resets_;
  }
  std::vector<Delivery> all() const {
    const std::lock_guard lock(mutex_);
    return all_;
  }
  int resets() const {
    const std::lock_guard lock(mutex_);
    return resets_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Delivery> all_;
  int resets_ = 0;
};

// For tests that are not about deliveries.
class IgnoredDeliveries final : public DeliveryListener {
 public:
  void on_delivered(std::span<const Delivery> /*deliveries*/) override {}
  void on_reset() override {}
};

}  // namespace monitor::metriclog
