#include "views/history/database.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "base/clock.h"
#include "base/log.h"

namespace monitor::analysis::history {

namespace {

constexpr const char* kTables =
    "CREATE TABLE IF NOT EXISTS agents(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    " info TEXT NOT NULL DEFAULT '{}');"
    "CREATE TABLE IF NOT EXISTS series(agent INTEGER, idx INTEGER, name TEXT NOT NULL, labels TEXT NOT NULL,"
    " unit TEXT NOT NULL, counter INTEGER NOT NULL, is_integer INTEGER NOT NULL, exponent INTEGER NOT NULL,"
    " seen_ns INTEGER NOT NULL, PRIMARY KEY(agent, idx)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS points(agent INTEGER, time_ns INTEGER, n INTEGER, points BLOB NOT NULL,"
    " PRIMARY KEY(agent, time_ns, n)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS open_ticks(id INTEGER PRIMARY KEY, oldest_ns INTEGER NOT NULL, ticks BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS blocks(agent INTEGER, begin_ns INTEGER, part INTEGER, id INTEGER NOT NULL,"
    " first_ns INTEGER NOT NULL, last_ns INTEGER NOT NULL, PRIMARY KEY(agent, begin_ns, part)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS block_rows(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS kept(name TEXT PRIMARY KEY, from_ns INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS reduced(width INTEGER, agent INTEGER, bucket INTEGER, cells BLOB NOT NULL,"
    " PRIMARY KEY(width, agent, bucket)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS positions(log TEXT, partition INTEGER, next_offset INTEGER NOT NULL,"
    " state BLOB NOT NULL, PRIMARY KEY(log, partition)) WITHOUT ROWID;"
    // A separate table, so that an earlier version can still write to `positions`.
    "CREATE TABLE IF NOT EXISTS identities(log TEXT, partition INTEGER, identity BLOB NOT NULL,"
    " PRIMARY KEY(log, partition)) WITHOUT ROWID;";

Result<Database> try_open(const std::string& path) {
  auto opened = Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!opened) return opened;
  const auto version = opened->integer("PRAGMA user_version");
  if (!version) return version.error();
  const auto tables = opened->integer("SELECT count(*) FROM sqlite_master");
  if (!tables) return tables.error();
  if (*version > kFileVersion) {
    return Error(
        Code::kFailedPrecondition,
        fmt::format("history {}: a newer version wrote it: its format is {}, and this version reads up to {}; "
                    "start the newer version, or move the file away, so that the history is rebuilt from the log",
                    path, *version, kFileVersion));
  }
  if (*version == 0 && *tables > 0) {
    return Error(Code::kDataLoss, fmt::format("history {}: it has tables, but no version of a history", path));
  }
  // After a power loss, the rest is read from the log again. So the file need not be synced at each commit; it must
  // only stay consistent.
  for (const char* pragma : {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=NORMAL",
                             "PRAGMA journal_size_limit=67108864", "PRAGMA cache_size=-65536"}) {
    if (auto status = opened->exec(pragma); !status) return status.error();
  }
  // In one transaction: if the disk fills up half-way, no file may remain that looks damaged.
  if (auto status = opened->exec(std::string("BEGIN IMMEDIATE;") + kTables +
                                 fmt::format("PRAGMA user_version={};COMMIT", kFileVersion));
      !status) {
    return status.error();
  }
  return opened;
}

}  // namespace

Result<Database> open_for_writing(const std::string& path) {
  auto opened = try_open(path);
  if (opened || opened.error().code() != Code::kDataLoss) return opened;
  const std::string aside = fmt::format("{}.damaged-{}", path, SystemClock().wall_ns() / kNanosPerSecond);
  log_error("history cannot be read; it is moved aside and rebuilt from the log",
            {{"file", path}, {"moved_to", aside}, {"reason", opened.error()}});
  if (rename(path.c_str(), aside.c_str()) != 0) return errno_error(errno, "moving " + path);
  unlink((path + "-wal").c_str());
  unlink((path + "-shm").c_str());
  return try_open(path);
}

Result<Database> open_for_reading(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return Error(Code::kNotFound, "history " + path + " does not exist yet");
  auto opened = Database::open(path, SQLITE_OPEN_READONLY);
  if (!opened) return opened;
  if (auto status = opened->exec("PRAGMA cache_size=-16384"); !status) return status.error();
  return opened;
}

}  // namespace monitor::analysis::history
