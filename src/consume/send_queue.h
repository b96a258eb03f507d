// SendQueue: appends records to a log, and repeats each one until the log has confirmed it.
//
// Call add() and settle() on one thread; the log reports on its own. The writer must outlive this object, whose
// destructor flushes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "base/result.h"
#include "metriclog/log.h"

namespace monitor::analysis {

class SendQueue final : private metriclog::DeliveryListener {
 public:
  // `on_rejected` is called on the writer's thread for a record that can never be stored.
  using OnRejected = std::function<void(const metriclog::Record&, const std::string& reason)>;
  SendQueue(metriclog::LogWriter& writer, OnRejected on_rejected)
      : writer_(writer), on_rejected_(std::move(on_rejected)) {}
  ~SendQueue() override;
  SendQueue(const SendQueue&) = delete;
  SendQueue& operator=(const SendQueue&) = delete;

  void add(metriclog::Record record) { waiting_.push_back(std::move(record)); }
  // Number of records that were not given to the log yet.
  size_t waiting() const { return waiting_.size(); }
  // Waits until all records are resolved. OK: each one is stored, or can never be.
  Status settle(int64_t timeout_ns);

 private:
  void on_delivered(std::span<const metriclog::Delivery> deliveries) override;
  void on_reset() override;
  bool append_waiting();

  metriclog::LogWriter& writer_;
  const OnRejected on_rejected_;
  uint64_t last_token_ = 0;
  std::deque<metriclog::Record> waiting_;

  std::mutex mutex_;  // guards the members below
  std::map<uint64_t, metriclog::Record> open_;
  std::deque<metriclog::Record> returned_;
};

}  // namespace monitor::analysis
