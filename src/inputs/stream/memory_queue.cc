#include "inputs/stream/memory_queue.h"

#include <algorithm>

namespace monitor::server {

namespace {

constexpr size_t kMostPassedOver = 256;  // in one pass over the queue

}  // namespace

MemoryQueue::MemoryQueue(Timers& timers, MemoryBudget& budget, int64_t retry_ns, IngestMetrics& metrics)
    : timers_(timers), budget_(budget), retry_ns_(retry_ns), metrics_(metrics) {}

MemoryQueue::~MemoryQueue() {
  timers_.cancel_timer(timer_);
  budget_.give_back(held_);
}

bool MemoryQueue::take(size_t bytes) {
  if (!budget_.take(bytes)) return false;
  taken(bytes);
  return true;
}

void MemoryQueue::taken(size_t bytes) {
  held_ += bytes;
  metrics_.memory_bytes.set(static_cast<double>(held_));
}

void MemoryQueue::give_back(size_t bytes) {
  budget_.give_back(bytes);
  held_ -= bytes;
  metrics_.memory_bytes.set(static_cast<double>(held_));
}

void MemoryQueue::wait(MemoryWaiter& waiter) {
  waiting_.push_back(&waiter);
  metrics_.paused.add();
  metrics_.paused_streams.set(static_cast<double>(waiting_.size()));
  schedule();
}

void MemoryQueue::leave(const MemoryWaiter& waiter) {
  std::erase(waiting_, &waiter);
  metrics_.paused_streams.set(static_cast<double>(waiting_.size()));
}

void MemoryQueue::schedule() {
  if (waiting_.empty() || timer_ != 0) return;
  timer_ = timers_.call_after(retry_ns_, [this] {
    timer_ = 0;
    resume();
  });
}

void MemoryQueue::resume() {
  if (waiting_.empty()) return;
  const size_t share = budget_.share();
  size_t passed_over = 0;
  while (passed_over < std::min(waiting_.size(), kMostPassedOver)) {
    MemoryWaiter* const waiter = waiting_.front();
    const size_t turn = waiter->turn(share);
    if (turn == 0) {
      waiting_.pop_front();
      waiting_.push_back(waiter);
      ++passed_over;
      continue;
    }
    if (!budget_.take_turn(turn)) break;
    taken(turn);
    waiting_.pop_front();
    waiter->resume(turn);
  }
  metrics_.paused_streams.set(static_cast<double>(waiting_.size()));
  schedule();
}

}  // namespace monitor::server
