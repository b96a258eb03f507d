// Gathering: the records of a fleet that wait together for a moment, so that they reach the broker in fuller batches. A
// server with many agents gets one small record after another, and each would wake the client's threads and become a
// batch of its own: at 1,000 records/s, that costs the server and the broker several times what the records cost.
//
// Gathering is thread-safe, RecordBuffer is not; RateSwitch::count() can be called on any thread. Times are monotonic
// nanoseconds.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "metriclog/kafka/kafka_log.h"
#include "metriclog/log.h"

namespace monitor::metriclog::kafka {

// Tells from the rate of records whether they are to be held. A rate must leave the range clearly to end it.
class RateSwitch {
 public:
  explicit RateSwitch(const GatherOptions& options) : options_(options) {}

  void count() { count_.fetch_add(1, std::memory_order_relaxed); }
  // Looks at the rate since the last look, but not more often than every kLookEvery. On one thread.
  bool look(int64_t now_ns);

 private:
  static constexpr int64_t kLookEvery = 200 * kNanosPerMilli;

  const GatherOptions options_;
  std::atomic<uint64_t> count_ = 0;
  uint64_t counted_ = 0;
  int64_t looked_ns_ = 0;
  bool on_ = false;
};

class RecordBuffer {
 public:
  using Send = std::function<bool(const RecordView& record, uintptr_t number)>;

  explicit RecordBuffer(const GatherOptions& options) : options_(options) {}

  // Copies the record. `number` names it in passes.
  void add(const RecordView& record, uintptr_t number, int64_t now_ns);
  bool empty() const { return held_.empty(); }
  bool full() const { return held_.size() >= options_.most_records || bytes_ >= options_.most_bytes; }
  // When the oldest record is to be passed on; INT64_MAX: there is none.
  int64_t due_ns() const { return held_.empty() ? INT64_MAX : since_ns_ + options_.hold_ns; }
  // Passes the records on in their order, until `send` returns false. That record and those after it stay.
  void pass_on(const Send& send);
  void clear();

 private:
  struct Held {
    uintptr_t number = 0;
    std::string bytes;  // key, value, then the names and values of the headers
    size_t key = 0;
    size_t value = 0;
    std::vector<std::pair<size_t, size_t>> headers;  // lengths of name and value
  };

  const GatherOptions options_;
  std::deque<Held> held_;
  size_t bytes_ = 0;
  int64_t since_ns_ = 0;
};

class Gathering {
 public:
  enum class Taken { kNo, kHeld, kFull };

  // `send` passes a record on; false: try it again later. `wake` makes the thread that calls look() look again soon.
  Gathering(const GatherOptions& options, RecordBuffer::Send send, std::function<void()> wake)
      : rate_(options), buffer_(options), send_(std::move(send)), wake_(std::move(wake)) {}

  // Call it for each record that was accepted: the rate of refused ones says nothing.
  void count() { rate_.count(); }
  // kNo: send the record yourself; all that came before it have been sent.
  Taken take(const RecordView& record, uintptr_t number, int64_t now_ns);
  // Passes on what is due. Call it on one thread, at the latest at due_ns().
  void look(int64_t now_ns);
  int64_t due_ns() const;
  // Passes everything on that can be.
  void pass_on();
  void clear();

 private:
  RateSwitch rate_;
  std::atomic<bool> holds_ = false;  // false only while the buffer is empty
  mutable std::mutex mutex_;         // guards the buffer, and is held while it is passed on, so that order is kept
  RecordBuffer buffer_;
  const RecordBuffer::Send send_;
  const std::function<void()> wake_;
};

}  // namespace monitor::metriclog::kafka
