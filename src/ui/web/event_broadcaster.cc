#include "ui/web/event_broadcaster.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::analysis::web {

void EventBroadcaster::publish(std::string_view topic, std::string_view name, std::string_view data) {
  {
    const std::lock_guard lock(mutex_);
    ++last_;
    events_.push_back({std::string(topic), fmt::format("id: {}.{}\nevent: {}\ndata: {}\n\n", run_, last_, name, data)});
    bytes_ += events_.back().text.size() + sizeof(Event);
    while (bytes_ > max_bytes_ && events_.size() > 1) {
      bytes_ -= events_.front().text.size() + sizeof(Event);
      events_.pop_front();
    }
  }
  if (wake_) wake_();
}

uint64_t EventBroadcaster::last() const {
  const std::lock_guard lock(mutex_);
  return last_;
}

std::optional<uint64_t> EventBroadcaster::number_of(std::string_view id) const {
  if (!id.starts_with(run_ + ".")) return std::nullopt;
  const auto number = parse_u64(id.substr(run_.size() + 1));
  return number && *number <= last() ? number : std::nullopt;
}

EventBroadcaster::Taken EventBroadcaster::take(uint64_t place, const std::vector<std::string>& topics, size_t max_bytes,
                                               std::string& out) const {
  const std::lock_guard lock(mutex_);
  const uint64_t first = last_ - events_.size() + 1;
  if (place + 1 < first || place > last_) return {.lost = true, .place = last_};
  const size_t limit = out.size() + max_bytes;
  for (uint64_t next = place + 1; next <= last_; ++next) {
    const Event& event = events_[next - first];
    if (std::ranges::find(topics, event.topic) == topics.end()) continue;
    out += event.text;
    if (out.size() >= limit) return {.lost = false, .place = next};
  }
  return {.lost = false, .place = last_};
}

}  // namespace monitor::analysis::web
