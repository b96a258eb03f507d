// Wrappers for SQLite's connection and statement, and conversion of its errors to ours. Files that are ours alone (the
// history, the rules' state, the alerts) are opened by versioned_file.h.
//
// Threads: a connection and its statements may be used by one thread at a time. Lifetimes: statements must not outlive
// their connection. Errors name the file and say what the operator can do: kDataLoss (the file is damaged),
// kResourceExhausted (the disk is full), kPermissionDenied, kUnavailable (another process holds the file, or the disk
// fails), kInvalidArgument (a value is too large), kInternal.
#pragma once

#include <sqlite3.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sqlite/opened_files.h"

namespace monitor::sqlite {

class Statement {
 public:
  explicit Statement(sqlite3_stmt* statement = nullptr) : statement_(statement) {}

  // Bound texts and bytes must stay valid until the next reset().
  void bind(int index, int64_t value) { sqlite3_bind_int64(get(), index, value); }
  void bind_text(int index, std::string_view value);
  void bind_blob(int index, std::string_view value);

  // Returns SQLITE_ROW, SQLITE_DONE or an error code.
  int step() { return sqlite3_step(get()); }
  void reset() { sqlite3_reset(get()); }

  int64_t integer(int column) const { return sqlite3_column_int64(get(), column); }
  std::string_view bytes(int column) const;
  explicit operator bool() const { return statement_ != nullptr; }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  sqlite3_stmt* get() const { return statement_.get(); }
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Resets a statement at the end of a scope, because an open statement holds its snapshot and lets the WAL grow.
class ResetLater {
 public:
  explicit ResetLater(Statement& statement) : statement_(statement) {}
  ~ResetLater() { statement_.reset(); }
  ResetLater(const ResetLater&) = delete;
  ResetLater& operator=(const ResetLater&) = delete;

 private:
  Statement& statement_;
};

class Database {
 public:
  // `flags` as for sqlite3_open_v2. Neither the file nor its companion files may be symbolic links
  // (kFailedPrecondition). With SQLITE_OPEN_READWRITE, they become readable by their owner only (0600).
  static Result<Database> open(const std::string& path, int flags, const char* vfs = nullptr);

  Status exec(const std::string& sql);
  Result<Statement> prepare(std::string_view sql);
  // The first column of the first row as a number; `otherwise` if there is no row or it is null.
  Result<int64_t> integer(std::string_view sql, int64_t otherwise = 0);

  // Runs a statement to its end, without reading rows, and resets it. `what` begins the error's text: "writing".
  Status run(Statement& statement, const std::string& what);

  // The current error of this connection. `rc` is the code that SQLite returned.
  Error error(int rc, const std::string& what) const;
  // Takes the WAL and its index, which SQLite opens with the first read or write, for moved().
  void keep(const OpenedFiles& files) { files_ = {files.wal(), files.index()}; }
  // True if the database or a file of keep() was removed or replaced. When an operator moves a log away and back, the
  // files move one after another, and a stale WAL must be neither read nor written.
  bool moved() const;
  const std::string& path() const { return path_; }

 private:
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  Database(sqlite3* db, std::string path) : db_(db), path_(std::move(path)) {}

  std::unique_ptr<sqlite3, Close> db_;
  std::string path_;
  std::array<uint64_t, 2> files_{};  // inodes of the WAL and its index; 0: not opened
};

}  // namespace monitor::sqlite
