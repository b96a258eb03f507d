#include "metriclog/kafka/gathering.h"

#include <string_view>

namespace monitor::metriclog::kafka {

bool RateSwitch::look(int64_t now_ns) {
  const int64_t passed = now_ns - looked_ns_;
  if (passed < kLookEvery) return on_;
  const uint64_t count = count_.load(std::memory_order_relaxed);
  const double rate = static_cast<double>(count - counted_) * 1e9 / static_cast<double>(passed);
  counted_ = count;
  looked_ns_ = now_ns;
  const double from = on_ ? options_.from_per_second / 2 : options_.from_per_second;
  const double until = on_ ? options_.until_per_second * 1.5 : options_.until_per_second;
  on_ = options_.hold_ns > 0 && rate >= from && rate <= until;
  return on_;
}

void RecordBuffer::add(const RecordView& record, uintptr_t number, int64_t now_ns) {
  if (held_.empty()) since_ns_ = now_ns;
  Held& held = held_.emplace_back();
  held.number = number;
  held.key = record.key.size();
  held.value = record.value.size();
  size_t size = record.key.size() + record.value.size();
  for (const auto& [name, value] : record.headers) size += name.size() + value.size();
  held.bytes.reserve(size);
  held.bytes.append(record.key).append(record.value);
  held.headers.reserve(record.headers.size());
  for (const auto& [name, value] : record.headers) {
    held.bytes.append(name).append(value);
    held.headers.emplace_back(name.size(), value.size());
  }
  bytes_ += size;
}

void RecordBuffer::pass_on(const Send& send) {
  std::vector<std::pair<std::string_view, std::string_view>> headers;
  while (!held_.empty()) {
    const Held& held = held_.front();
    std::string_view rest = held.bytes;
    const auto part = [&rest](size_t size) {
      const std::string_view taken = rest.substr(0, size);
      rest.remove_prefix(size);
      return taken;
    };
    const std::string_view key = part(held.key);
    const std::string_view value = part(held.value);
    headers.clear();
    for (const auto& [name, size] : held.headers) {
      const std::string_view text = part(name);
      headers.emplace_back(text, part(size));
    }
    if (!send({key, headers, value}, held.number)) return;
    bytes_ -= held.bytes.size();
    held_.pop_front();
  }
}

void RecordBuffer::clear() {
  held_.clear();
  bytes_ = 0;
}

Gathering::Taken Gathering::take(const RecordView& record, uintptr_t number, int64_t now_ns) {
  if (!holds_.load(std::memory_order_acquire)) return Taken::kNo;
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    if (!holds_.load(std::memory_order_relaxed)) return Taken::kNo;  // everything was passed on in the meantime
    if (buffer_.full()) buffer_.pass_on(send_);
    if (buffer_.full()) return Taken::kFull;
    first = buffer_.empty();
    buffer_.add(record, number, now_ns);
  }
  if (first) wake_();
  return Taken::kHeld;
}

void Gathering::look(int64_t now_ns) {
  const bool on = rate_.look(now_ns);
  const std::lock_guard lock(mutex_);
  if (!on || now_ns >= buffer_.due_ns()) buffer_.pass_on(send_);
  holds_.store(on || !buffer_.empty(), std::memory_order_release);
}

int64_t Gathering::due_ns() const {
  const std::lock_guard lock(mutex_);
  return buffer_.due_ns();
}

void Gathering::pass_on() {
  const std::lock_guard lock(mutex_);
  buffer_.pass_on(send_);
}

void Gathering::clear() {
  const std::lock_guard lock(mutex_);
  buffer_.clear();
}

}  // namespace monitor::metriclog::kafka
