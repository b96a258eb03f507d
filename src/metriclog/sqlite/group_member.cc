#include "metriclog/sqlite/group_member.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/hex.h"
#include "base/trust.h"

namespace monitor::metriclog::sqlite {

namespace {

// The name of a group may contain any character, as with Kafka; the name of a file must not.
std::string file_part(const std::string& group) {
  std::string out;
  for (const char c : group) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (plain) {
      out += c;
      continue;
    }
    out += '%';
    out += hex(std::string_view(&c, 1));
  }
  return out;
}

}  // namespace

Status GroupMember::check_folder(const std::string& log_path) {
  const size_t slash = log_path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : log_path.substr(0, std::max<size_t>(slash, 1));
  return check_folder_trusted(folder, "the folder of the log's groups");
}

Result<std::unique_ptr<GroupMember>> GroupMember::join(const std::string& log_path, const std::string& group) {
  const std::string part = file_part(group);
  if (part.empty() || part.size() > 180) {
    return Error(Code::kInvalidArgument, "group id: got " + std::to_string(group.size()) + " bytes, allowed 1 to 60");
  }
  if (auto trusted = check_folder(log_path); !trusted) {
    return trusted.error().with_context("joining group " + group);
  }
  auto lock = LockFile::open(log_path + "-group-" + part + ".lock");
  if (!lock) return lock.error().with_context("joining group " + group);
  auto db = Database::open(log_path + "-groups.db", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!db) return db.error();
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
                          "CREATE TABLE IF NOT EXISTS snapshots(group_id TEXT, partition INTEGER, log_id TEXT NOT NULL,"
                          " next_offset INTEGER NOT NULL, state BLOB NOT NULL,"
                          " PRIMARY KEY(group_id, partition)) WITHOUT ROWID"}) {
    if (auto status = db->exec(sql); !status) return status.error();
  }
  return std::unique_ptr<GroupMember>(new GroupMember(group, std::move(*db), std::move(*lock)));
}

bool GroupMember::try_activate() {
  if (!active_) active_ = lock_.try_lock("process " + std::to_string(getpid()));
  return active_;
}

Result<std::optional<Snapshot>> GroupMember::load() {
  auto select =
      db_.prepare("SELECT partition, next_offset, state, log_id FROM snapshots WHERE group_id = ?1 AND partition = 0");
  if (!select) return select.error();
  select->bind_text(1, group_);
  const int rc = select->step();
  if (rc == SQLITE_DONE) return std::optional<Snapshot>();
  if (rc != SQLITE_ROW) return db_.error(rc, "reading");
  Snapshot snapshot{.next_offset = select->integer(1)};
  snapshot.state = select->bytes(2);
  snapshot.identity = select->bytes(3);
  return std::optional(std::move(snapshot));
}

Status GroupMember::store(const std::string& log_id, const Snapshot& snapshot) {
  auto insert = db_.prepare("INSERT OR REPLACE INTO snapshots VALUES(?1, 0, ?2, ?3, ?4)");
  if (!insert) return insert.error();
  insert->bind_text(1, group_);
  insert->bind_text(2, log_id);
  insert->bind(3, snapshot.next_offset);
  insert->bind_blob(4, snapshot.state);
  const int rc = insert->step();
  if (rc != SQLITE_DONE) return db_.error(rc, "writing");
  return {};
}

}  // namespace monitor::metriclog::sqlite
