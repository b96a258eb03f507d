#include "sqlite/versioned_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/clock.h"
#include "base/log.h"

namespace monitor::sqlite {

namespace {

// In one transaction: if the disk fills up half-way, no file may remain that looks damaged. Another process may have
// created the tables in the meantime.
Status create_tables(Database& db, const FileKind& kind) {
  if (auto status = db.exec("BEGIN IMMEDIATE"); !status) return status;
  const auto version = check_version(db, kind);
  Status done = version ? Status() : version.error();
  if (done && *version < kind.version) {
    done = db.exec(fmt::format("{};PRAGMA user_version={}", kind.tables, kind.version));
  }
  if (done) done = db.exec("COMMIT");
  if (!done) (void)db.exec("ROLLBACK");
  return done;
}

Result<Database> try_open(const std::string& path, const FileKind& kind) {
  auto opened = Database::open(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
  if (!opened) return opened;
  // First, because a file that is not ours must not be changed.
  const auto version = check_version(*opened, kind);
  if (!version) return version.error();
  const auto tables = opened->integer("SELECT count(*) FROM sqlite_master");
  if (!tables) return tables.error();
  if (*version == 0 && *tables > 0) {
    return Error(Code::kDataLoss, fmt::format("{} {}: it has tables, but no version", kind.name, path));
  }
  for (const char* const pragma : {"PRAGMA auto_vacuum=INCREMENTAL", "PRAGMA journal_mode=WAL", kind.pragmas}) {
    if (auto status = opened->exec(pragma); !status) return status.error();
  }
  if (*version == kind.version) return opened;
  if (auto status = create_tables(*opened, kind); !status) return status.error();
  return opened;
}

}  // namespace

Result<int64_t> check_version(Database& db, const FileKind& kind) {
  auto version = db.integer("PRAGMA user_version");
  if (!version || *version <= kind.version) return version;
  const std::string away = kind.loss == nullptr ? "use another file" : fmt::format("move the file away: {}", kind.loss);
  return Error(Code::kFailedPrecondition,
               fmt::format("{} {}: a newer version wrote it: its format is {}, and this version reads up to {}; start "
                           "the newer version, or {}",
                           kind.name, db.path(), *version, kind.version, away));
}

Result<Database> open_versioned(const std::string& path, const FileKind& kind) {
  auto opened = try_open(path, kind);
  if (opened || opened.error().code() != Code::kDataLoss || kind.loss == nullptr) return opened;
  const std::string aside = fmt::format("{}.damaged-{}", path, SystemClock().wall_ns() / kNanosPerSecond);
  log_error(fmt::format("{} cannot be read; it is moved aside, and {}", kind.name, kind.loss),
            {{"file", path}, {"moved_to", aside}, {"reason", opened.error()}});
  if (rename(path.c_str(), aside.c_str()) != 0) return errno_error(errno, "moving " + path);
  unlink((path + "-wal").c_str());
  unlink((path + "-shm").c_str());
  return try_open(path, kind);
}

}  // namespace monitor::sqlite
