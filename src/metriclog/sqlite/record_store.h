// The writer's connection: appends in transactions, ages records out, says what an error means for a batch.
// Not thread-safe: used by one thread at a time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "metriclog/browser.h"
#include "metriclog/sqlite/database.h"

namespace monitor::metriclog::sqlite {

struct PendingRecord {
  std::string key = {};
  std::string headers = {};  // a JSON object
  std::string value = {};
  // Set by append(): this record alone was refused.
  std::string rejection = {};
};

class RecordStore {
 public:
  static Result<std::unique_ptr<RecordStore>> open(const std::string& path, const char* vfs);

  // After a write or sync that failed: brings what the WAL holds into the file, and begins the WAL anew. The kernel may
  // have forgotten pages that it could not write; what is appended behind such a hole would be lost with the power.
  // kUnavailable while a reader is in the way.
  Status begin_wal_anew();

  // All records without a rejection, in one durable transaction stamped `time_ns`, or none of them.
  Status append(std::vector<PendingRecord*>& records, int64_t time_ns);

  // Leaves a heartbeat, which replaces the one before; those of other writers are deleted.
  Status beat(const Heartbeat& heartbeat);

  // Deletes from the oldest on what the log took before `before_ns`, at most `limit` records; how many there were.
  // Ends at the first younger one, so that what is left has no hole.
  Result<int64_t> expire(int64_t before_ns, int64_t limit);

  // Gives pages back to the file system when a large part of the file is unused; a little at a time.
  Status shrink();

  // The file under this name is another one by now, or none.
  bool moved() const { return db_.moved(); }

 private:
  explicit RecordStore(Database db) : db_(std::move(db)) {}
  Status insert(PendingRecord& record, int64_t time_ns);
  Status rolled_back(Error error);

  Database db_;
  Statement begin_;
  Statement commit_;
  Statement insert_;
  Statement oldest_;
  Statement delete_;
};

}  // namespace monitor::metriclog::sqlite
