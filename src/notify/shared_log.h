// SharedLog: what receivers were told, where all instances see it, so that another one can take over without telling
// anything twice and without losing what was not sent. Implementations may block; each object is used by one thread.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "notify/notification.h"
#include "notify/notification_log.h"

namespace monitor::notify {

struct SharedEntry {
  LogEntry entry;
  // The notification that the entry is about. If it is finished, its alerts are without annotations: they only say what
  // was firing.
  Notification last;
  bool finished = false;  // it is not on its way any more

  bool operator==(const SharedEntry&) const = default;
};
using SharedEntries = std::map<LogKey, SharedEntry>;

class SharedLog {
 public:
  virtual ~SharedLog() = default;
  virtual Result<SharedEntries> load() = 0;
  // Replaces the entries of these keys, and removes those without an entry in `all`. kAborted: another instance has
  // changed them since load(); it notifies now, and this one must not. Other errors: it is not known what is stored.
  virtual Status save(std::span<const LogKey> keys, const SharedEntries& all) = 0;
};

// JSON, and back. kDataLoss: it is something else. What does not fit into `most` bytes loses the alerts of finished
// notifications first. kResourceExhausted: that is not enough.
Result<std::string> encode_entries(const SharedEntries& entries, size_t most);
Result<SharedEntries> decode_entries(std::string_view text);

}  // namespace monitor::notify
