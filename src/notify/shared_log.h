// SharedLog: the log of notifications that all instances share, so that another instance can take over without
// repeating or losing notifications. Implementations may block; each object is used by one thread.
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
  // The last notification. If it is finished, its alerts have no annotations: they only say what was firing.
  Notification last;
  bool finished = false;  // its delivery has ended

  bool operator==(const SharedEntry&) const = default;
};
using SharedEntries = std::map<LogKey, SharedEntry>;

class SharedLog {
 public:
  virtual ~SharedLog() = default;
  virtual Result<SharedEntries> load() = 0;
  // Replaces the entries of these keys, and removes those without an entry in `all`. kAborted: another instance has
  // changed them since load(), so it notifies now, and this one must not. After any other error, it is unknown what is
  // stored.
  virtual Status save(std::span<const LogKey> keys, const SharedEntries& all) = 0;
};

// JSON, and back. kDataLoss: it is something else. If the text would exceed `most` bytes, the alerts of
// finished notifications are left out. kResourceExhausted: it is still too large.
Result<std::string> encode_entries(const SharedEntries& entries, size_t most);
Result<SharedEntries> decode_entries(std::string_view text);

}  // namespace monitor::notify
