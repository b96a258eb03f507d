// MemoryQueue: one loop's use of the server's memory budget, and the loop's streams that wait for memory, served in
// turn.
// A waiting stream gets memory when it is its turn; a stream that already holds its share is passed over. Loop's thread
// only; the constructor's arguments must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "base/event_loop.h"
#include "inputs/stream/ingest_metrics.h"
#include "inputs/stream/memory_budget.h"

namespace monitor::server {

class MemoryWaiter {
 public:
  virtual ~MemoryWaiter() = default;
  // The memory that it needs to continue if each stream may hold `share`; 0: it already holds its share.
  virtual size_t turn(size_t share) const = 0;
  // The waiter has left the queue; `taken` bytes were reserved for it.
  virtual void resume(size_t taken) = 0;
};

class MemoryQueue {
 public:
  // While streams wait, the budget is tried again every `retry_ns`, because other loops may free memory.
  MemoryQueue(Timers& timers, MemoryBudget& budget, int64_t retry_ns, IngestMetrics& metrics);
  ~MemoryQueue();
  MemoryQueue(const MemoryQueue&) = delete;
  MemoryQueue& operator=(const MemoryQueue&) = delete;

  // Returns false if there is no room.
  bool take(size_t bytes);
  void give_back(size_t bytes);
  size_t share() const { return budget_.share(); }

  void wait(MemoryWaiter& waiter);
  // Call if the waiter no longer needs to wait.
  void leave(const MemoryWaiter& waiter);
  bool anyone_waits() const { return !waiting_.empty(); }
  // Call when memory may have become free.
  void resume();

 private:
  void taken(size_t bytes);
  void schedule();

  Timers& timers_;
  MemoryBudget& budget_;
  const int64_t retry_ns_;
  IngestMetrics& metrics_;
  size_t held_ = 0;  // what this loop has taken of the budget
  std::deque<MemoryWaiter*> waiting_;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::server
