// RecordStore: the writer's connection. It appends in transactions, deletes expired records, and classifies errors. Not
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "metriclog/browser.h"
#include "metriclog/sqlite/schema.h"

namespace monitor::metriclog::sqlite {

struct PendingRecord {
  std::string key = {};
  std::string headers = {};  // JSON object
  std::string value = {};
  // Set by append() if only this record was rejected.
  std::string rejection = {};
};

class RecordStore {
 public:
  static Result<std::unique_ptr<RecordStore>> open(const std::string& path, const char* vfs);

  // After a failed write or fsync: copies the WAL into the database and restarts the WAL. The kernel may have dropped
  // pages that it could not write, and anything appended after such a hole would be lost in a power failure.
  // kUnavailable while a reader prevents it.
  Status begin_wal_anew();

  // LogWriter::identity() of the open file.
  const std::string& identity() const { return identity_; }

  // Appends all records without a rejection in one durable transaction stamped `time_ns`, or none of them.
  Status append(std::vector<PendingRecord*>& records, int64_t time_ns);

  // Stores a heartbeat, which replaces the previous one, and deletes those of other writers.
  Status beat(const Heartbeat& heartbeat);

  // Deletes the oldest records stored before `before_ns`, at most `limit`, and returns their number. Stops at the first
  // younger record, so that no gap remains.
  Result<int64_t> expire(int64_t before_ns, int64_t limit);

  // If a large part of the file is unused, returns some unused pages to the filesystem.
  Status shrink();

  // True if the file was replaced or removed.
  bool moved() const { return db_.moved(); }

 private:
  explicit RecordStore(Database db) : db_(std::move(db)) {}
  Status insert(PendingRecord& record, int64_t time_ns);
  Status first_beat(const Heartbeat& heartbeat);
  Status rolled_back(Error error);

  Database db_;
  std::string identity_;
  Statement begin_;
  Statement commit_;
  Statement insert_;
  Statement oldest_;
  Statement delete_;
  std::optional<Statement> beat_;  // after the first heartbeat
};

}  // namespace monitor::metriclog::sqlite
