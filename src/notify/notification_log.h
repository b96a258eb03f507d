// The last notification of each group and integration, as in Alertmanager's notification log. It prevents duplicate
// notifications.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace monitor::notify {

struct LogKey {
  std::string group_key;
  std::string receiver;
  std::string integration;

  auto operator<=>(const LogKey&) const = default;
};

struct LogEntry {
  std::string id;                // of the notification
  int64_t time_ms = 0;           // when it was decided; wall clock
  std::vector<uint64_t> firing;  // fingerprints, sorted
  std::vector<uint64_t> resolved;

  bool operator==(const LogEntry&) const = default;
};

}  // namespace monitor::notify
