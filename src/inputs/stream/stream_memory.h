// StreamMemory: one stream's part of the memory budget: its batches in flight, what was taken for its turn, and the
// overhead of its bookkeeping. Destroyed, it gives turn and overhead back; the batches' memory is given back as the log
// reports them. On the loop's thread; queue and timers must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "base/event_loop.h"
#include "inputs/stream/memory_queue.h"

namespace monitor::server {

class StreamMemory {
 public:
  // Memory that was taken for a turn is given back after `turn_ns`, when the stream has not used it.
  StreamMemory(MemoryQueue& queue, Timers& timers, int64_t turn_ns)
      : queue_(queue), timers_(timers), turn_ns_(turn_ns) {}
  ~StreamMemory() {
    end_turn();
    (void)set_overhead(0);
  }
  StreamMemory(const StreamMemory&) = delete;
  StreamMemory& operator=(const StreamMemory&) = delete;

  // Takes memory for a batch. While others wait, a stream gets what was taken for its turn, and beyond that no more
  // than its share. False: it must wait.
  bool hold(size_t cost);
  void release(size_t cost);
  size_t held() const { return held_; }  // by batches in flight

  void begin_turn(size_t taken);
  void end_turn();

  // False: there is no memory for more.
  bool set_overhead(size_t bytes);
  size_t overhead() const { return overhead_; }

 private:
  MemoryQueue& queue_;
  Timers& timers_;
  const int64_t turn_ns_;
  size_t held_ = 0;
  size_t turn_ = 0;  // taken, and not used yet
  size_t overhead_ = 0;
  Timers::TimerId turn_timer_ = 0;
};

}  // namespace monitor::server
