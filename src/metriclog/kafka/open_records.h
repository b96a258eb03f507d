// OpenRecords: maps records that are accepted but not reported to their listeners. An entry passes through librdkafka
// as a number. Thread-safe.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <set>
#include <vector>

#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

struct OpenRecord {
  DeliveryListener* listener = nullptr;  // null for a free entry
  uint64_t token = 0;
};

class OpenRecords {
 public:
  // Never 0.
  uintptr_t add(DeliveryListener& listener, uint64_t token) {
    const std::lock_guard lock(mutex_);
    ++open_;
    if (free_.empty()) {
      entries_.push_back({&listener, token});
      return entries_.size();
    }
    const uintptr_t number = free_.back();
    free_.pop_back();
    entries_[number - 1] = {&listener, token};
    return number;
  }
  // Call for a record that was never passed on. Reported records stay open until closed().
  void take_back(uintptr_t number) {
    const std::lock_guard lock(mutex_);
    release(number);
    close(1);
  }
  // Looks up several records and frees their numbers. They stay open until closed().
  template <typename Visit>
  void with_lock(Visit visit) {
    const std::lock_guard lock(mutex_);
    visit([this](uintptr_t number) { return entries_[number - 1]; }, [this](uintptr_t number) { release(number); });
  }
  // The record stays open, and will be reported without its number.
  void forget_number(uintptr_t number) {
    const std::lock_guard lock(mutex_);
    release(number);
  }
  // `count` records were reported.
  void closed(size_t count) {
    const std::lock_guard lock(mutex_);
    close(count);
  }
  // Frees all remaining numbers and returns their entries.
  std::set<DeliveryListener*> clear() {
    const std::lock_guard lock(mutex_);
    std::set<DeliveryListener*> listeners;
    size_t count = 0;
    for (uintptr_t number = 1; number <= entries_.size(); ++number) {
      if (entries_[number - 1].listener == nullptr) continue;
      listeners.insert(entries_[number - 1].listener);
      release(number);
      ++count;
    }
    close(count);
    return listeners;
  }
  bool wait_until_none(int64_t timeout_ns) {
    std::unique_lock lock(mutex_);
    return none_.wait_for(lock, std::chrono::nanoseconds(timeout_ns), [this] { return open_ == 0; });
  }

 private:
  void release(uintptr_t number) {
    entries_[number - 1] = {};
    free_.push_back(number);
  }
  void close(size_t count) {
    open_ -= count;
    if (open_ == 0) none_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable none_;
  std::vector<OpenRecord> entries_;
  std::vector<uintptr_t> free_;
  size_t open_ = 0;
};

}  // namespace monitor::metriclog::kafka
