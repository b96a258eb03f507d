#include "views/history/database.h"

#include <unistd.h>

#include "sqlite/versioned_file.h"

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

// After a power loss, the rest is read from the log again. So the file need not be synced at each commit; it must only
// stay consistent.
constexpr const char* kPragmas =
    "PRAGMA synchronous=NORMAL; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-65536";

constexpr sqlite::FileKind kHistory = {.name = "history",
                                       .version = kFileVersion,
                                       .tables = kTables,
                                       .pragmas = kPragmas,
                                       .loss = "the history is rebuilt from the log"};

}  // namespace

Result<Database> open_for_writing(const std::string& path) { return sqlite::open_versioned(path, kHistory); }

Result<int64_t> file_version(Database& db) { return sqlite::check_version(db, kHistory); }

Result<Database> open_for_reading(const std::string& path) {
  if (access(path.c_str(), F_OK) != 0) return Error(Code::kNotFound, "history " + path + " does not exist yet");
  auto opened = Database::open(path, SQLITE_OPEN_READONLY);
  if (!opened) return opened;
  if (auto status = opened->exec("PRAGMA cache_size=-16384"); !status) return status.error();
  return opened;
}

}  // namespace monitor::analysis::history
