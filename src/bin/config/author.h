// Who changes documents by monitor-config, and why, for the history.
#pragma once

#include <string>

#include "base/result.h"
#include "config/history/change_record.h"

namespace monitor {

struct AuthorFlags {
  std::string author;   // --author; empty: derived
  std::string message;  // --message
};

// The author is --author; else the user of etcd; else the system's user and host. `etcd_user`: the authenticated one,
// if any. `command`: what makes the change. The time is left open. kInvalidArgument: an author or message that cannot
// be recorded.
Result<config::ChangeNote> note_of(const AuthorFlags& flags, const std::string& etcd_user, const std::string& command);

}  // namespace monitor
