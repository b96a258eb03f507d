// MemoryQueue: one loop's use of the server's memory budget, and the streams of the loop that wait for memory, in turn.
//
// A stream that waits gets memory when it is its turn; one that holds its share already is passed over. On the loop's
// thread; what it is given must outlive it.
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
  // The memory with which it can continue when each stream may hold `share`; 0: it holds its share.
  virtual size_t turn(size_t share) const = 0;
  // It waits no longer: so much was taken for it.
  virtual void resume(size_t taken) = 0;
};

class MemoryQueue {
 public:
  // Other loops may free memory: while streams wait, it is tried again every `retry_ns`.
  MemoryQueue(Timers& timers, MemoryBudget& budget, int64_t retry_ns, IngestMetrics& metrics);
  ~MemoryQueue();
  MemoryQueue(const MemoryQueue&) = delete;
  MemoryQueue& operator=(const MemoryQueue&) = delete;

  // False: there is no room.
  bool take(size_t bytes);
  void give_back(size_t bytes);
  size_t share() const { return budget_.share(); }

  void wait(MemoryWaiter& waiter);
  // It need not wait.
  void leave(const MemoryWaiter& waiter);
  bool anyone_waits() const { return !waiting_.empty(); }
  // Memory may have become free.
  void resume();

 private:
  void taken(size_t bytes);
  void schedule();

  Timers& timers_;
  MemoryBudget& budget_;
  const int64_t retry_ns_;
  IngestMetrics& metrics_;
  size_t held_ = 0;  // of the budget, by this loop
  std::deque<MemoryWaiter*> waiting_;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::server
