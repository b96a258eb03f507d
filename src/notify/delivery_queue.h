// DeliveryQueue: the undelivered notifications of one integration.
//
// Notifications of one group stay in order. After a failure, the queue waits with a jittered backoff, or as long as the
// receiver asks for. It then continues with the group whose last attempt was the longest ago, so that a notification
// that a receiver cannot process does not block the others. The queue is bounded: it drops the oldest notifications if
// there are too many, and those that are too old.
//
// A later notification of the same group supersedes a waiting one if it contains all its alerts. So after an outage,
// the receiver gets the current state without the earlier ones, and an alert that is over wakes nobody.
//
// Pure; one thread at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/net/backoff.h"
#include "base/random.h"
#include "notify/notification.h"
#include "notify/sender.h"

namespace monitor::notify {

struct QueueLimits {
  size_t notifications = 1000;
  size_t bytes = size_t{16} << 20;
  int64_t keep_ms = int64_t{24} * 3'600'000;  // from the decision on, by the wall clock
  int64_t backoff_ms = 1000;
  int64_t backoff_cap_ms = 60'000;
  bool supersede = true;  // false: the receiver wants to know every state
};

// How the delivery of a notification ended.
enum class Ending : uint8_t { kSent, kRefused, kExpired, kQueueFull, kSuperseded };

struct Ended {
  std::shared_ptr<const Notification> notification;
  Ending ending = Ending::kSent;
  std::string answer;
  int64_t attempts = 0;
};

class DeliveryQueue {
 public:
  DeliveryQueue(const QueueLimits& limits, Random& random)
      : limits_(limits), backoff_(random, limits.backoff_ms * kNanosPerMilli, limits.backoff_cap_ms * kNanosPerMilli) {}

  // Returns those that had to make room, and those that are superseded.
  std::vector<Ended> push(std::shared_ptr<const Notification> notification);
  // The group's alerts have ended, and the receiver gets no resolved alerts: its waiting notifications are superseded.
  std::vector<Ended> withdraw(const std::string& group_key);
  // The one to send now, which stays in the queue until finish(); nullptr: none. Moves those that are too old or
  // superseded to `ended`.
  std::shared_ptr<const Notification> next(int64_t wall_ms, int64_t mono_ms, std::vector<Ended>& ended);
  // The outcome of the notification from next(). nullopt: it will be sent again.
  std::optional<Ended> finish(const Outcome& outcome, int64_t mono_ms);

  // Everything that has not ended, in order.
  std::vector<std::shared_ptr<const Notification>> rest() const;

  // The time at which next() may have a notification; INT64_MAX: not before the next push().
  int64_t next_due_ms() const { return items_.empty() ? INT64_MAX : not_before_ms_; }
  size_t size() const { return items_.size(); }
  size_t bytes() const { return bytes_; }
  // Of the last attempt, if it failed; empty: it did not.
  const std::string& trouble() const { return trouble_; }

 private:
  struct Item {
    std::shared_ptr<const Notification> notification;
    size_t bytes = 0;
    std::set<uint64_t> alerts = {};  // their fingerprints
    int64_t attempts = 0;
    uint64_t tried = 0;  // the number of the last attempt; 0: none
    bool sending = false;
    bool superseded = false;
  };
  std::deque<Item>::iterator pick();
  void drop_superseded(std::vector<Ended>& ended);
  Ended take(std::deque<Item>::iterator item, Ending ending, std::string answer);

  const QueueLimits limits_;
  Backoff backoff_;
  std::deque<Item> items_;
  size_t bytes_ = 0;
  uint64_t tries_ = 0;
  int64_t not_before_ms_ = 0;
  std::string trouble_;
};

}  // namespace monitor::notify
