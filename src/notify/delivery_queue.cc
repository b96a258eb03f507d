#include "notify/delivery_queue.h"

#include <algorithm>
#include <set>
#include <utility>

#include "base/escape.h"
#include "base/text.h"

namespace monitor::notify {

std::string short_answer(std::string_view text) {
  constexpr size_t kMost = 200;
  std::string line = printable(trim(text).substr(0, kMost));
  return line;
}

std::vector<Ended> DeliveryQueue::push(std::shared_ptr<const Notification> notification) {
  std::vector<Ended> dropped;
  const size_t size = notification->bytes();
  while (items_.size() >= limits_.notifications || (!items_.empty() && bytes_ + size > limits_.bytes)) {
    auto oldest = std::ranges::find(items_, false, &Item::sending);
    if (oldest == items_.end()) break;
    dropped.push_back(take(oldest, Ending::kQueueFull, "more notifications wait for the receiver than fit"));
  }
  Item item{std::move(notification), size};
  for (const rules::Alert& alert : item.notification->alerts) item.alerts.insert(fingerprint(alert.labels));
  for (Item& earlier : items_) {
    if (limits_.supersede && earlier.notification->group_key == item.notification->group_key &&
        std::ranges::includes(item.alerts, earlier.alerts)) {
      earlier.superseded = true;
    }
  }
  items_.push_back(std::move(item));
  bytes_ += size;
  drop_superseded(dropped);
  return dropped;
}

std::vector<Ended> DeliveryQueue::withdraw(const std::string& group_key) {
  for (Item& item : items_) {
    if (limits_.supersede && item.notification->group_key == group_key) item.superseded = true;
  }
  std::vector<Ended> ended;
  drop_superseded(ended);
  return ended;
}

// The one that is being sent may be accepted; if it is not, it is dropped afterwards.
void DeliveryQueue::drop_superseded(std::vector<Ended>& ended) {
  for (auto item = items_.begin(); item != items_.end();) {
    if (item->sending || !item->superseded) {
      ++item;
      continue;
    }
    const auto at = item - items_.begin();
    ended.push_back(take(item, Ending::kSuperseded, "a later notification says what has become of it"));
    item = items_.begin() + at;
  }
}

std::deque<DeliveryQueue::Item>::iterator DeliveryQueue::pick() {
  std::set<std::string_view> groups;
  auto best = items_.end();
  for (auto item = items_.begin(); item != items_.end(); ++item) {
    if (!groups.insert(item->notification->group_key).second) continue;
    if (best == items_.end() || item->tried < best->tried) best = item;
  }
  return best;
}

std::shared_ptr<const Notification> DeliveryQueue::next(int64_t wall_ms, int64_t mono_ms, std::vector<Ended>& ended) {
  for (auto item = items_.begin(); item != items_.end();) {
    if (item->sending || wall_ms - item->notification->decided_ms <= limits_.keep_ms) {
      ++item;
      continue;
    }
    const auto at = item - items_.begin();
    ended.push_back(take(item, Ending::kExpired, trouble_.empty() ? "it is too old" : trouble_));
    item = items_.begin() + at;
  }
  drop_superseded(ended);
  if (mono_ms < not_before_ms_ || std::ranges::any_of(items_, &Item::sending)) return nullptr;
  const auto item = pick();
  if (item == items_.end()) return nullptr;
  item->sending = true;
  item->tried = ++tries_;
  ++item->attempts;
  return item->notification;
}

std::optional<Ended> DeliveryQueue::finish(const Outcome& outcome, int64_t mono_ms) {
  const auto item = std::ranges::find(items_, true, &Item::sending);
  if (item == items_.end()) return std::nullopt;
  item->sending = false;
  if (outcome.kind == Outcome::Kind::kRetry) {
    trouble_ = outcome.answer.empty() ? "it failed" : outcome.answer;
    constexpr int64_t kMaxWaitMs = int64_t{10} * 60'000;
    const int64_t wait_ms = std::max(backoff_.next_ns() / kNanosPerMilli, std::min(outcome.retry_after_ms, kMaxWaitMs));
    not_before_ms_ = mono_ms + wait_ms;
    return std::nullopt;
  }
  backoff_.reset();
  not_before_ms_ = 0;
  const bool sent = outcome.kind == Outcome::Kind::kSent;
  trouble_ = sent ? "" : outcome.answer;
  return take(item, sent ? Ending::kSent : Ending::kRefused, outcome.answer);
}

std::vector<std::shared_ptr<const Notification>> DeliveryQueue::rest() const {
  std::vector<std::shared_ptr<const Notification>> result;
  for (const Item& item : items_) result.push_back(item.notification);
  return result;
}

Ended DeliveryQueue::take(std::deque<Item>::iterator item, Ending ending, std::string answer) {
  Ended ended{item->notification, ending, std::move(answer), item->attempts};
  bytes_ -= item->bytes;
  items_.erase(item);
  return ended;
}

}  // namespace monitor::notify
