// Recorder: stores what the notifier decides and what becomes of it. What cannot be stored is kept, within bounds, and
// stored together with the next step: that the disk is full must be told, too, so notifications do not wait for it.
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
    bool finished = false;  // what became of notifications was among it
  };
  Saved save(AlertStore::Step step, const std::map<query::Labels, Tracked>& all);
  // The pending alerts, for people; if they have changed, and every 2 s at most.
  void save_pending(const std::map<query::Labels, rules::Alert>& pending, int64_t mono_ms);
  // The same for the receivers.
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
