#include "sqlite/database.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "base/written_file.h"

namespace monitor::sqlite {

namespace {

struct Meaning {
  Code code;
  const char* next;  // what the operator can do
};

Meaning meaning_of(int rc, int error_number) {
  switch (rc & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return {Code::kDataLoss,
              "the file is damaged: move it away and start again; `sqlite3 FILE .recover` saves the readable part"};
    case SQLITE_FULL:
      return {Code::kResourceExhausted, "free space on that disk"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return {Code::kPermissionDenied, "give this user write permission for the file and its folder"};
    case SQLITE_CANTOPEN:
      if (error_number == EACCES || error_number == EPERM || error_number == EROFS) {
        return {Code::kPermissionDenied, "give this user write permission for the file and its folder"};
      }
      return {Code::kUnavailable, "check the path and its folder"};
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return {Code::kUnavailable, "another process holds the file; retrying"};
    case SQLITE_IOERR:
      if (error_number == ENOSPC || error_number == EDQUOT) {
        return {Code::kResourceExhausted, "free space on that disk"};
      }
      return {Code::kUnavailable, "check the disk"};
    case SQLITE_TOOBIG:
    case SQLITE_MISMATCH:
      return {Code::kInvalidArgument, nullptr};
    default:
      return {Code::kInternal, nullptr};
  }
}

Error make_error(int rc, int error_number, const char* message, const std::string& what, const std::string& path) {
  const Meaning meaning = meaning_of(rc, error_number);
  std::string text = what + " " + path + ": " + message;
  if (error_number != 0 && (rc & 0xFF) != SQLITE_CORRUPT && (rc & 0xFF) != SQLITE_NOTADB) {
    text += std::string(" (") + strerror(error_number) + ")";  // NOLINT(concurrency-mt-unsafe)
  }
  if (meaning.next != nullptr) text += std::string("; ") + meaning.next;
  return Error(meaning.code, text);
}

}  // namespace

void Statement::bind_text(int index, std::string_view value) {
  sqlite3_bind_text64(get(), index, value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind_blob(int index, std::string_view value) {
  // A null pointer would bind NULL instead of an empty value.
  const char* data = value.empty() ? "" : value.data();
  sqlite3_bind_blob64(get(), index, data, value.size(), SQLITE_STATIC);
}

std::string_view Statement::bytes(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(get(), column));
  const auto size = static_cast<size_t>(sqlite3_column_bytes(get(), column));
  return data == nullptr ? std::string_view() : std::string_view(data, size);
}

namespace {

// If SQLite must not follow a link at the end of a path, it rejects links anywhere in it. So links in the folder part
// are resolved here.
std::string with_resolved_folder(const std::string& path) {
  const size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  std::array<char, PATH_MAX> resolved{};
  if (realpath(folder.c_str(), resolved.data()) == nullptr) return path;
  return std::string(resolved.data()) + "/" + path.substr(slash == std::string::npos ? 0 : slash + 1);
}

// Rejects symbolic links in place of the database and its companion files, because writes would go through them. Makes
// files private that an earlier version created readable for everybody.
Status check_files(const std::string& path, bool for_writing) {
  for (const char* const ending : {"", "-wal", "-shm", "-journal"}) {
    const std::string file = path + ending;
    struct stat info{};
    if (lstat(file.c_str(), &info) != 0) continue;
    if (S_ISLNK(info.st_mode)) {
      return Error(Code::kFailedPrecondition,
                   "opening " + file + ": it is a symbolic link, which is not followed; name the file itself");
    }
    if (for_writing) {
      // SQLite truncates the shared memory file that it finds, so a hard link is rejected there as well.
      const bool alone = std::string_view(ending) == "-shm";
      if (Status good = check_written_file(info, "opening " + file, alone); !good) return good;
    }
    constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
    const bool open_to_others = S_ISREG(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & kOthers) != 0;
    if (for_writing && open_to_others) (void)chmod(file.c_str(), info.st_mode & S_IRWXU);
  }
  return {};
}

// 0 if there is no such file.
uint64_t inode_of(const std::string& path) {
  struct stat info{};
  return stat(path.c_str(), &info) == 0 ? info.st_ino : 0;
}

}  // namespace

Result<Database> Database::open(const std::string& path, int flags, const char* vfs) {
  if (auto good = check_files(path, (flags & SQLITE_OPEN_READWRITE) != 0); !good) return good.error();
  sqlite3* raw = nullptr;
  const std::string resolved = with_resolved_folder(path);
  const int rc = sqlite3_open_v2(resolved.c_str(), &raw,
                                 flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs);
  Database database(raw, path);
  if (rc != SQLITE_OK) {
    if (raw == nullptr) return Error(Code::kResourceExhausted, "opening " + path + ": out of memory");
    return database.error(rc, "opening");
  }
  sqlite3_busy_timeout(raw, 2'000);
  return database;
}

Status Database::exec(const std::string& sql) {
  const int rc = sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return error(rc, "using");
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int rc =
      sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  if (rc != SQLITE_OK) return error(rc, "using");
  return Statement(raw);
}

Result<int64_t> Database::integer(std::string_view sql, int64_t otherwise) {
  auto statement = prepare(sql);
  if (!statement) return statement.error();
  const int rc = statement->step();
  if (rc == SQLITE_DONE) return otherwise;
  if (rc != SQLITE_ROW) return error(rc, "reading");
  return statement->integer(0);
}

Status Database::run(Statement& statement, const std::string& what) {
  const ResetLater reset(statement);
  int rc = statement.step();
  while (rc == SQLITE_ROW) rc = statement.step();
  return rc == SQLITE_DONE ? Status() : error(rc, what);
}

Error Database::error(int rc, const std::string& what) const {
  const int error_number = (rc & 0xFF) == SQLITE_IOERR || (rc & 0xFF) == SQLITE_CANTOPEN || (rc & 0xFF) == SQLITE_FULL
                               ? sqlite3_system_errno(db_.get())
                               : 0;
  return make_error(rc, error_number, sqlite3_errmsg(db_.get()), what, path_);
}

bool Database::moved() const {
  int moved = 0;
  sqlite3_file_control(db_.get(), "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  if (moved != 0) return true;
  for (size_t i = 0; i < files_.size(); ++i) {
    if (files_[i] != 0 && files_[i] != inode_of(path_ + (i == 0 ? "-wal" : "-shm"))) return true;
  }
  return false;
}

}  // namespace monitor::sqlite
