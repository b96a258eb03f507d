// LogQueue: the streams of one loop that wait for a full log, served in turn. Loop's thread only; the constructor's
// arguments must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_set>
#include <utility>

#include "base/event_loop.h"
#include "inputs/stream/ingest_metrics.h"

namespace monitor::server {

class LogWaiter {
 public:
  virtual ~LogWaiter() = default;
  // Appends the waiter's oldest batch. Returns false if the log is still full.
  virtual bool append_waiting() = 0;
  virtual bool waiting() const = 0;
};

class LogQueue {
 public:
  // While streams wait, the log is tried again every `retry_ns`, because it may be other loops that have filled it.
  // `flush` is called with the ids of the streams whose batches were appended or rejected.
  LogQueue(Timers& timers, int64_t retry_ns, IngestMetrics& metrics,
           std::function<void(const std::unordered_set<uint32_t>&)> flush);
  ~LogQueue() { timers_.cancel_timer(timer_); }
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;

  bool empty() const { return waiting_.empty(); }
  // `id` is that of the stream.
  void wait(uint32_t id, LogWaiter& waiter);
  void leave(uint32_t id);
  // Call when the log may have room.
  void append();
  // Counts bytes of batches that wait.
  void add_bytes(size_t bytes) { set_bytes(bytes_ + bytes); }
  void remove_bytes(size_t bytes) { set_bytes(bytes_ - bytes); }

 private:
  void schedule();
  void set_bytes(size_t bytes);

  Timers& timers_;
  const int64_t retry_ns_;
  IngestMetrics& metrics_;
  std::function<void(const std::unordered_set<uint32_t>&)> flush_;
  std::deque<std::pair<uint32_t, LogWaiter*>> waiting_;
  size_t bytes_ = 0;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::server
