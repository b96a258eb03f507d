// Sharing: what one instance's notifier reads from the shared log when it takes over, and writes to it before it sends.
//
// While the shared log cannot be written, notifications are sent all the same, and shared later: that the other hosts
// are away is what people must hear of. An instance that takes over in that time may tell something a second time.
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
  // nullptr: nobody shares.
  explicit Sharing(std::shared_ptr<SharedLog> log) : log_(std::move(log)) {}

  // Brings what this instance has stored to what the others know: the log, alerts that were firing, and what was not
  // sent yet. Returns what became of its own notifications, to be stored. Errors: those of the shared log.
  Result<std::vector<Delivery>> take_over(AlertStore::Loaded& loaded, int64_t now_ms);
  // Call before the decisions are sent. kAborted: another instance notifies; nothing may be sent. Other failures are
  // logged, and writing is tried again 5 s later.
  Status share(std::span<const Decision> decisions, std::span<const LogKey> expired, int64_t mono_ms);
  // What has ended is shared with the next decisions, or by the next share() without any.
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
