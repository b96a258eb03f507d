// DeadLetters: copies records that could not be decoded to another log, so that somebody can inspect them. A copy has
// the record's key, value and headers, and two more headers: `skipped-because` and `skipped-from` (PARTITION/OFFSET).
//
// Call add() and settle() on one thread; the log reports on its own. The writer may be nullptr. It must outlive this
// object, whose destructor flushes it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>

#include "base/result.h"
#include "metriclog/log.h"

namespace monitor::analysis {

class DeadLetters final : private metriclog::DeliveryListener {
 public:
  explicit DeadLetters(metriclog::LogWriter* writer) : writer_(writer) {}
  ~DeadLetters() override;
  DeadLetters(const DeadLetters&) = delete;
  DeadLetters& operator=(const DeadLetters&) = delete;

  void add(const metriclog::Record& record, const Error& why);
  // Waits until the copies are resolved. OK: each one is stored, or can never be.
  Status settle(int64_t timeout_ns);

 private:
  void on_delivered(std::span<const metriclog::Delivery> deliveries) override;
  void on_reset() override;
  bool append_waiting();

  metriclog::LogWriter* const writer_;
  uint64_t last_token_ = 0;
  std::deque<metriclog::Record> waiting_;

  std::mutex mutex_;  // guards the members below
  std::map<uint64_t, metriclog::Record> open_;
  std::deque<metriclog::Record> returned_;
};

}  // namespace monitor::analysis
