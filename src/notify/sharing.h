// Sharing: reads the shared log of notifications when this instance takes over, and writes to it before notifications
// are sent.
//
// While the shared log cannot be written, notifications are sent anyway, and shared later: an outage of other hosts
// must cause notifications. An instance that takes over in that time may repeat some.
//
// One thread.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <vector>

#include "notify/delivery_queue.h"
#include "notify/dispatcher.h"
#include "notify/shared_log.h"
#include "notify/store.h"

namespace monitor::notify {

class Sharing {
 public:
  // nullptr: there are no other instances.
  explicit Sharing(std::shared_ptr<SharedLog> log) : log_(std::move(log)) {}

  // Updates this instance's stored state from the shared log: last notifications, alerts that were firing, and
  // notifications that were not sent. Returns the outcomes of its own notifications, which the caller stores. Errors:
  // those of the shared log.
  Result<std::vector<Delivery>> take_over(AlertStore::Loaded& loaded, int64_t now_ms);
  // Call before the decisions are sent. kAborted: another instance notifies, so nothing may be sent. Other failures are
  // logged, and the write is repeated 5 s later.
  Status share(std::span<const Decision> decisions, std::span<const LogKey> expired, int64_t mono_ms);
  // Notes ended notifications. The next share() writes them, also if it has no decisions.
  void note_ended(std::span<const Ended> ended);
  bool failing() const { return failing_; }

 private:
  static void restore_alerts(const SharedEntry& shared, AlertStore::Loaded& loaded);

  std::shared_ptr<SharedLog> log_;
  SharedEntries entries_;
  std::set<LogKey> unsaved_;
  bool failing_ = false;
  int64_t not_before_ms_ = 0;  // monotonic
};

}  // namespace monitor::notify
