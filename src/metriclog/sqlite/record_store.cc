#include "metriclog/sqlite/record_store.h"

#include <utility>

#include "metriclog/sqlite/schema.h"

namespace monitor::metriclog::sqlite {

Result<std::unique_ptr<RecordStore>> RecordStore::open(const std::string& path, const char* vfs) {
  auto db = open_for_writing(path, vfs);
  if (!db) return db.error();
  std::unique_ptr<RecordStore> store(new RecordStore(std::move(*db)));
  const std::pair<Statement*, const char*> statements[] = {
      {&store->begin_, "BEGIN IMMEDIATE"},
      {&store->commit_, "COMMIT"},
      {&store->insert_, "INSERT INTO records(time_ns, key, headers, value) VALUES(?1, ?2, ?3, ?4)"},
      {&store->oldest_, "SELECT offset, time_ns FROM records ORDER BY offset LIMIT ?1"},
      {&store->delete_, "DELETE FROM records WHERE offset <= ?1"},
  };
  for (const auto& [statement, sql] : statements) {
    auto prepared = store->db_.prepare(sql);
    if (!prepared) return prepared.error();
    *statement = std::move(*prepared);
  }
  const auto identity = read_identity(store->db_);
  if (!identity) return identity.error();
  store->identity_ = identity->name();
  return store;
}

Status RecordStore::begin_wal_anew() {
  const auto busy = db_.integer("PRAGMA wal_checkpoint(TRUNCATE)");
  if (!busy) return busy.error();
  if (*busy != 0) {
    return Error(Code::kUnavailable, "log " + db_.path() + " cannot restart its WAL while it is being read; retrying");
  }
  return {};
}

Status RecordStore::append(std::vector<PendingRecord*>& records, int64_t time_ns) {
  int rc = begin_.step();
  begin_.reset();
  if (rc != SQLITE_DONE) return db_.error(rc, "writing");
  for (PendingRecord* record : records) {
    if (auto status = insert(*record, time_ns); !status) return rolled_back(status.error());
  }
  rc = commit_.step();
  // Read before reset() and ROLLBACK replace the text of the error.
  const Error error = db_.error(rc, "writing");
  commit_.reset();
  if (rc != SQLITE_DONE) return rolled_back(error);
  return {};
}

Status RecordStore::insert(PendingRecord& record, int64_t time_ns) {
  const ResetLater reset(insert_);
  insert_.bind(1, time_ns);
  insert_.bind_text(2, record.key);
  insert_.bind_text(3, record.headers);
  insert_.bind_blob(4, record.value);
  const int rc = insert_.step();
  if (rc == SQLITE_DONE) return {};
  const Error error = db_.error(rc, "writing");
  if (error.code() == Code::kInvalidArgument) {
    record.rejection = (rc == SQLITE_TOOBIG ? "too_large: " : "invalid: ") + error.message();
    return {};
  }
  return error;
}

// The table was added later: logs of older servers lack it, and older readers ignore it.
Status RecordStore::beat(const Heartbeat& heartbeat) {
  if (!beat_) return first_beat(heartbeat);
  // One statement, because heartbeats are most of what an idle server does.
  beat_->bind_text(1, heartbeat.writer);
  beat_->bind(2, static_cast<int64_t>(heartbeat.count));
  beat_->bind(3, heartbeat.time_ns);
  beat_->bind(4, heartbeat.ended ? 1 : 0);
  int rc = beat_->step();
  const bool found = rc == SQLITE_ROW;
  if (found) rc = beat_->step();  // commits
  const Status status = rc == SQLITE_DONE ? Status() : db_.error(rc, "writing");
  beat_->reset();
  if (status && found) return {};
  beat_.reset();  // somebody may have removed the row or the table
  return status ? first_beat(heartbeat) : status;
}

Status RecordStore::first_beat(const Heartbeat& heartbeat) {
  const std::string sql =
      "BEGIN IMMEDIATE;"
      "CREATE TABLE IF NOT EXISTS writers(writer TEXT PRIMARY KEY, program TEXT NOT NULL, host TEXT NOT NULL,"
      " count INTEGER NOT NULL, time_ns INTEGER NOT NULL, ended INTEGER NOT NULL) WITHOUT ROWID";
  Status status = db_.exec(sql);
  if (!status) return rolled_back(status.error());
  // There is only one writer at a time, so earlier writers no longer write.
  auto others = db_.prepare("DELETE FROM writers WHERE writer <> ?1");
  if (!others) return rolled_back(others.error());
  others->bind_text(1, heartbeat.writer);
  if (const int rc = others->step(); rc != SQLITE_DONE) return rolled_back(db_.error(rc, "writing"));
  auto put = db_.prepare("INSERT OR REPLACE INTO writers VALUES(?1, ?2, ?3, ?4, ?5, ?6)");
  if (!put) return rolled_back(put.error());
  put->bind_text(1, heartbeat.writer);
  put->bind_text(2, heartbeat.program);
  put->bind_text(3, heartbeat.host);
  put->bind(4, static_cast<int64_t>(heartbeat.count));
  put->bind(5, heartbeat.time_ns);
  put->bind(6, heartbeat.ended ? 1 : 0);
  if (const int rc = put->step(); rc != SQLITE_DONE) return rolled_back(db_.error(rc, "writing"));
  put->reset();
  status = db_.exec("COMMIT");
  if (!status) return rolled_back(status.error());
  auto beat = db_.prepare("UPDATE writers SET count = ?2, time_ns = ?3, ended = ?4 WHERE writer = ?1 RETURNING 1");
  if (!beat) return beat.error();
  beat_ = std::move(*beat);
  return {};
}

Status RecordStore::rolled_back(Error error) {
  (void)db_.exec("ROLLBACK");  // SQLite may have rolled back already
  return error;
}

Result<int64_t> RecordStore::expire(int64_t before_ns, int64_t limit) {
  int64_t last = -1;
  int64_t count = 0;
  {
    const ResetLater reset(oldest_);
    oldest_.bind(1, limit);
    int rc = oldest_.step();
    for (; rc == SQLITE_ROW && oldest_.integer(1) < before_ns; rc = oldest_.step()) {
      last = oldest_.integer(0);
      ++count;
    }
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return db_.error(rc, "reading");
  }
  if (count == 0) return int64_t{0};
  const ResetLater reset(delete_);
  delete_.bind(1, last);
  const int rc = delete_.step();
  if (rc != SQLITE_DONE) return db_.error(rc, "deleting expired records of");
  return count;
}

Status RecordStore::shrink() {
  constexpr int64_t kWorthIt = 4096;  // pages: 16 MiB
  const auto unused = db_.integer("PRAGMA freelist_count");
  if (!unused) return unused.error();
  const auto all = db_.integer("PRAGMA page_count");
  if (!all) return all.error();
  if (*unused < kWorthIt || *unused * 3 < *all) return {};
  return db_.exec("PRAGMA incremental_vacuum(1024)");
}

}  // namespace monitor::metriclog::sqlite
