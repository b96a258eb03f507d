// The position (a snapshot) of a group of readers of one log, and the lock of its active member: PATH-groups.db,
// written by readers alone, and a lock file a group. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/lock_file.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "metriclog/sqlite/database.h"

namespace monitor::metriclog::sqlite {

// One reader's membership in a group. The group's active member is the one that holds the lock.
class GroupMember {
 public:
  // Whether the folder of the log may be written into; kPermissionDenied: no (base/trust.h).
  static Status check_folder(const std::string& log_path);
  // kInvalidArgument: not a name for a group.
  static Result<std::unique_ptr<GroupMember>> join(const std::string& log_path, const std::string& group);

  // Never waits. True from the first success on.
  bool try_activate();
  bool active() const { return active_; }

  // What the group has stored, and of which log: its `identity` is that log's id.
  Result<std::optional<Snapshot>> load();
  // Survives the death of the process at once, and a power loss within what SQLite's synchronous=NORMAL promises:
  // an older snapshot costs reading again, never a wrong count.
  Status store(const std::string& log_id, const Snapshot& snapshot);

 private:
  GroupMember(std::string group, Database db, LockFile lock)
      : group_(std::move(group)), db_(std::move(db)), lock_(std::move(lock)) {}

  std::string group_;
  Database db_;
  LockFile lock_;
  bool active_ = false;
};

}  // namespace monitor::metriclog::sqlite
