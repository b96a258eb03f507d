#include "consume/send_queue.h"

#include <algorithm>
#include <thread>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace monitor::analysis {

namespace {

constexpr int64_t kLastFlush = 2 * kNanosPerSecond;
constexpr int64_t kLook = 10 * kNanosPerMilli;

}  // namespace

SendQueue::~SendQueue() { writer_.flush(kLastFlush); }

Status SendQueue::settle(int64_t timeout_ns) {
  const SystemClock clock;
  const int64_t end = clock.mono_ns() + timeout_ns;
  while (true) {
    const bool all_taken = append_waiting();
    const bool all_reported = writer_.flush(std::min(kLook, timeout_ns));
    {
      const std::lock_guard lock(mutex_);
      std::move(returned_.begin(), returned_.end(), std::back_inserter(waiting_));
      returned_.clear();
    }
    if (all_taken && all_reported && waiting_.empty()) return {};
    if (clock.mono_ns() >= end) break;
    if (!all_taken) std::this_thread::sleep_for(std::chrono::nanoseconds(kLook));
  }
  const std::string trouble = writer_.trouble();
  return Error(Code::kUnavailable, trouble.empty() ? "the log does not confirm" : trouble);
}

bool SendQueue::append_waiting() {
  while (!waiting_.empty()) {
    const uint64_t token = ++last_token_;
    metriclog::Record record = std::move(waiting_.front());
    waiting_.pop_front();
    const std::vector<std::pair<std::string_view, std::string_view>> headers(record.headers.begin(),
                                                                             record.headers.end());
    {
      const std::lock_guard lock(mutex_);
      open_[token] = record;
    }
    if (writer_.append({record.key, headers, record.value}, *this, token) == metriclog::LogWriter::Accepted::kYes) {
      continue;
    }
    const std::lock_guard lock(mutex_);
    open_.erase(token);
    waiting_.push_front(std::move(record));
    return false;
  }
  return true;
}

void SendQueue::on_delivered(std::span<const metriclog::Delivery> deliveries) {
  const std::lock_guard lock(mutex_);
  for (const metriclog::Delivery& delivery : deliveries) {
    const auto it = open_.find(delivery.token);
    if (it == open_.end()) continue;
    if (delivery.outcome == metriclog::Outcome::kRetry) returned_.push_back(std::move(it->second));
    if (delivery.outcome == metriclog::Outcome::kRejected) on_rejected_(it->second, delivery.reason);
    open_.erase(it);
  }
}

void SendQueue::on_reset() {
  const std::lock_guard lock(mutex_);
  for (auto& [token, record] : open_) returned_.push_back(std::move(record));
  open_.clear();
}

}  // namespace monitor::analysis
