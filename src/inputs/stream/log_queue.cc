#include "inputs/stream/log_queue.h"

namespace monitor::server {

LogQueue::LogQueue(Timers& timers, int64_t retry_ns, IngestMetrics& metrics,
                   std::function<void(const std::unordered_set<uint32_t>&)> flush)
    : timers_(timers), retry_ns_(retry_ns), metrics_(metrics), flush_(std::move(flush)) {}

void LogQueue::set_bytes(size_t bytes) {
  bytes_ = bytes;
  metrics_.waiting_bytes.set(static_cast<double>(bytes));
}

void LogQueue::schedule() {
  if (waiting_.empty() || timer_ != 0) return;
  timer_ = timers_.call_after(retry_ns_, [this] {
    timer_ = 0;
    append();
  });
}

void LogQueue::wait(uint32_t id, LogWaiter& waiter) {
  waiting_.emplace_back(id, &waiter);
  schedule();
}

void LogQueue::leave(uint32_t id) {
  std::erase_if(waiting_, [&](const auto& one) { return one.first == id; });
}

// Appends one batch of each stream in turn, so that a busy agent does not shut out the others.
void LogQueue::append() {
  std::unordered_set<uint32_t> touched;
  bool room = true;
  while (room && !waiting_.empty()) {
    const auto [id, waiter] = waiting_.front();
    room = waiter->append_waiting();
    waiting_.pop_front();
    if (waiter->waiting() && room) waiting_.emplace_back(id, waiter);
    if (waiter->waiting() && !room) waiting_.emplace_front(id, waiter);
    touched.insert(id);
  }
  schedule();
  flush_(touched);
}

}  // namespace monitor::server
