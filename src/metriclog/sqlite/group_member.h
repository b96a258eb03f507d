// The snapshot of a group of readers, and the lock of its active member. Files: PATH-groups.db, which only readers
// write, and one lock file per group. Not thread-safe.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/lock_file.h"
#include "base/result.h"
#include "metriclog/log.h"
#include "metriclog/sqlite/schema.h"

namespace monitor::metriclog::sqlite {

// A reader's membership in a group. The active member is the one that holds the lock.
class GroupMember {
 public:
  // Checks that others cannot write to the folder of the log; kPermissionDenied if they can (base/trust.h).
  static Status check_folder(const std::string& log_path);
  // kInvalidArgument for an invalid group name.
  static Result<std::unique_ptr<GroupMember>> join(const std::string& log_path, const std::string& group);

  // Never waits. Returns true once it has succeeded.
  bool try_activate();
  bool active() const { return active_; }

  // The group's snapshot; its `identity` is the id of its log.
  Result<std::optional<Snapshot>> load();
  // The snapshot survives a crash of the process. After a power loss an older one may remain (synchronous=NORMAL). The
  // reader then reads some records again, but its counts stay right.
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
