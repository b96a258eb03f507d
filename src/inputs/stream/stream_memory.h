// StreamMemory: one stream's part of the memory budget: its batches in flight, the memory reserved for its turn, and
// the overhead of its bookkeeping. The destructor releases turn and overhead; the memory of batches is released as the
// log reports them. Loop's thread only; queue and timers must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/event_loop.h"
#include "inputs/stream/memory_queue.h"

namespace monitor::server {

class StreamMemory {
 public:
  // Memory reserved for a turn is released after `turn_ns` if the stream has not used it.
  StreamMemory(MemoryQueue& queue, Timers& timers, int64_t turn_ns)
      : queue_(queue), timers_(timers), turn_ns_(turn_ns) {}
  ~StreamMemory() {
    end_turn();
    (void)set_overhead(0);
  }
  StreamMemory(const StreamMemory&) = delete;
  StreamMemory& operator=(const StreamMemory&) = delete;

  // Takes memory for a batch. While others wait, a stream gets the memory reserved for its turn, and beyond that no
  // more than its share. Returns false if it must wait.
  bool hold(size_t cost);
  void release(size_t cost);
  size_t held() const { return held_; }  // by batches in flight

  void begin_turn(size_t taken);
  void end_turn();

  // Returns false if there is no memory for more.
  bool set_overhead(size_t bytes);
  size_t overhead() const { return overhead_; }

 private:
  MemoryQueue& queue_;
  Timers& timers_;
  const int64_t turn_ns_;
  size_t held_ = 0;
  size_t turn_ = 0;  // reserved, and not used yet
  size_t overhead_ = 0;
  Timers::TimerId turn_timer_ = 0;
};

}  // namespace monitor::server
