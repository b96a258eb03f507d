// LogQueue: the streams of one loop that a full log keeps waiting, in turn. On the loop's thread; what it is given must
// outlive it.
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
  // Appends its oldest waiting batch. False: the log is still full.
  virtual bool append_waiting() = 0;
  virtual bool waiting() const = 0;
};

class LogQueue {
 public:
  // Other loops may have filled the log: while streams wait, it is tried again every `retry_ns`. `flush` is called with
  // the ids of streams whose batches were appended or refused.
  LogQueue(Timers& timers, int64_t retry_ns, IngestMetrics& metrics,
           std::function<void(const std::unordered_set<uint32_t>&)> flush);
  ~LogQueue() { timers_.cancel_timer(timer_); }
  LogQueue(const LogQueue&) = delete;
  LogQueue& operator=(const LogQueue&) = delete;

  bool empty() const { return waiting_.empty(); }
  // `id` is the stream's.
  void wait(uint32_t id, LogWaiter& waiter);
  void leave(uint32_t id);
  // The log may have room.
  void append();
  // Of batches that wait.
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
