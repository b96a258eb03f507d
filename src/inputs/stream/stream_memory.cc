#include "inputs/stream/stream_memory.h"

namespace monitor::server {

bool StreamMemory::hold(size_t cost) {
  if (turn_ >= cost) {
    turn_ -= cost;
    held_ += cost;
    return true;
  }
  end_turn();
  if (queue_.anyone_waits() && held_ + cost > queue_.share()) return false;
  if (!queue_.take(cost)) return false;
  held_ += cost;
  return true;
}

void StreamMemory::release(size_t cost) {
  held_ -= cost;
  queue_.give_back(cost);
}

void StreamMemory::begin_turn(size_t taken) {
  turn_ = taken;
  turn_timer_ = timers_.call_after(turn_ns_, [this] {
    turn_timer_ = 0;
    end_turn();
  });
}

void StreamMemory::end_turn() {
  timers_.cancel_timer(std::exchange(turn_timer_, 0));
  if (turn_ != 0) queue_.give_back(std::exchange(turn_, 0));
}

bool StreamMemory::set_overhead(size_t bytes) {
  if (bytes <= overhead_) {
    queue_.give_back(overhead_ - bytes);
  } else if (!queue_.take(bytes - overhead_)) {
    return false;
  }
  overhead_ = bytes;
  return true;
}

}  // namespace monitor::server
