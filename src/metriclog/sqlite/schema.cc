#include "metriclog/sqlite/schema.h"

#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <system_error>

#include "base/hex.h"
#include "base/text.h"
#include "sqlite/opened_files.h"

namespace monitor::metriclog::sqlite {

namespace {

std::string new_log_id() {
  std::array<char, 16> bytes{};
  [[maybe_unused]] const ssize_t n = getrandom(bytes.data(), bytes.size(), 0);
  return hex(std::string_view(bytes.data(), bytes.size()));
}

Status make_tables(Database& db) {
  if (auto status = db.exec("BEGIN IMMEDIATE"); !status) return status;
  const std::string sql =
      "CREATE TABLE IF NOT EXISTS records(offset INTEGER PRIMARY KEY AUTOINCREMENT, time_ns INTEGER NOT NULL,"
      " key TEXT NOT NULL, headers TEXT NOT NULL, value BLOB NOT NULL);"
      "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;"
      "INSERT OR IGNORE INTO meta VALUES('schema_version', " +
      std::to_string(kSchemaVersion) + "),('log_id', '" + new_log_id() + "');COMMIT";
  if (auto status = db.exec(sql); !status) {
    (void)db.exec("ROLLBACK");
    return status;
  }
  return {};
}

// Reads both ends of the log: a cheap check that detects a truncated or overwritten file at the start.
Status check_ends(Database& db) {
  for (const char* order : {"ASC", "DESC"}) {
    auto statement =
        db.prepare(std::string("SELECT offset, length(value) FROM records ORDER BY offset ") + order + " LIMIT 1");
    if (!statement) return statement.error();
    const int rc = statement->step();
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return db.error(rc, "reading");
  }
  return {};
}

Error foreign_file(const std::string& path, const std::string& found) {
  return Error(Code::kFailedPrecondition, "log " + path + ": " + found);
}

}  // namespace

Result<LogIdentity> read_identity(Database& db) {
  const auto tables = db.integer("SELECT count(*) FROM sqlite_master");
  if (!tables) return tables.error();
  if (*tables == 0) return Error(Code::kNotFound, "log " + db.path() + " does not exist yet; waiting for its writer");
  const auto known = db.integer("SELECT count(*) FROM sqlite_master WHERE name IN ('records', 'meta')");
  if (!known) return known.error();
  if (*known != 2) {
    return foreign_file(db.path(), "an SQLite file, but not a metric log; choose another one with --log");
  }
  const auto version = db.integer("SELECT value FROM meta WHERE key = 'schema_version'");
  if (!version) return version.error();
  if (*version > kSchemaVersion) {
    return foreign_file(db.path(), "made by a newer version of this program (schema " + std::to_string(*version) +
                                       ", known up to " + std::to_string(kSchemaVersion) +
                                       "); upgrade this program, or choose another log with --log");
  }
  auto statement = db.prepare("SELECT value FROM meta WHERE key = 'log_id'");
  if (!statement) return statement.error();
  LogIdentity identity;
  if (statement->step() == SQLITE_ROW) identity.log_id = statement->bytes(0);
  return identity;
}

Result<Database> open_for_writing(const std::string& path, const char* vfs) {
  OpenedFiles files(path);
  auto opened = Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, vfs);
  if (!opened) return opened;
  Database& db = *opened;
  // Identifies the file first, because a foreign file must not be changed.
  auto identity = read_identity(db);
  const bool empty = !identity && identity.error().code() == Code::kNotFound;
  if (!identity && !empty) return identity.error();
  // auto_vacuum only takes effect before the first table is created.
  for (const char* pragma : {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                             "PRAGMA journal_size_limit=67108864"}) {
    if (auto status = db.exec(pragma); !status) return status.error();
  }
  if (empty) {
    if (auto status = make_tables(db); !status) return status.error();
  }
  if (auto status = check_ends(db); !status) return status.error();
  db.keep(files);
  return opened;
}

Result<Database> open_for_reading(const std::string& path) {
  struct stat info{};
  if (stat(path.c_str(), &info) != 0) {
    if (errno == ENOENT || errno == ENOTDIR)
      return Error(Code::kNotFound, "log " + path + " does not exist yet; waiting for its writer");
    return errno_error(errno, "opening log " + path);
  }
  if (access(path.c_str(), R_OK) != 0) return errno_error(errno, "opening log " + path);
  if (info.st_size == 0) return Error(Code::kNotFound, "log " + path + " does not exist yet; waiting for its writer");
  OpenedFiles files(path);
  auto opened = Database::open(path, SQLITE_OPEN_READONLY);
  if (!opened) return opened;
  const auto identity = read_identity(*opened);
  opened->keep(files);
  // What was read may be of files that do not belong together, so it is not judged.
  if (opened->moved()) {
    return Error(Code::kUnavailable, "log " + path + ": its files were moved while it was opened; retrying");
  }
  if (!identity) return identity.error();
  return opened;
}

}  // namespace monitor::metriclog::sqlite
