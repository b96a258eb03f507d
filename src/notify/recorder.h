// Recorder: stores the notifier's decisions and their outcomes. If they cannot be stored, it keeps them, within bounds,
// and stores them with the next step. Notifications do not wait for that: a full disk must cause notifications, too.
//
// One thread. The store must outlive it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "notify/delivery_queue.h"
#include "notify/dispatcher.h"
#include "notify/store.h"

namespace monitor::notify {

class Recorder {
 public:
  explicit Recorder(AlertStore& store) : store_(store) {}

  // For the next save().
  void note_ended(std::vector<Ended> ended, int64_t now_ms);
  void note_without_receiver(const Notification& notification, int64_t now_ms);

  // `all`: the alerts that the dispatcher knows, if there is too much to keep. Errors: those of the store.
  struct Saved {
    Status status;
    bool finished = false;  // outcomes of notifications were among it
  };
  Saved save(AlertStore::Step step, const std::map<query::Labels, Tracked>& all);
  // Stores the pending alerts for `alert list`, if they have changed, at most every 2 s.
  void save_pending(const std::map<query::Labels, rules::Alert>& pending, int64_t mono_ms);
  // The same for the states of the receivers.
  void save_receivers(std::vector<ReceiverState> states, int64_t mono_ms);

 private:
  void bound(const std::map<query::Labels, Tracked>& all);

  AlertStore& store_;
  AlertStore::Step unsaved_;
  std::map<query::Labels, rules::Alert> saved_pending_;
  int64_t pending_saved_ms_ = 0;
  std::optional<std::vector<ReceiverState>> saved_receivers_;
  int64_t receivers_saved_ms_ = 0;
};

}  // namespace monitor::notify
