// Opens an SQLite file that belongs to one part of a program, and whose tables have a version (PRAGMA user_version).
//
// A file of a newer version is refused and left as it is, because whoever goes back to an older program wants to come
// back to it. A file that is damaged, or that something else has made, is moved aside if the part can begin anew.
//
// Blocks the caller; can be called on any thread.
#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "sqlite/database.h"

namespace monitor::sqlite {

struct FileKind {
  // The subject of messages, such as "the history".
  const char* name;
  int64_t version;
  // SQL that creates the tables. Executed when the file is new or of an older version, so it must keep what exists.
  const char* tables;
  // SQL executed at every open, such as PRAGMA synchronous. journal_mode (WAL) and auto_vacuum (INCREMENTAL) are set.
  const char* pragmas;
  // What follows when the file is moved away, for messages: "the history is rebuilt from the log". nullptr: nothing can
  // replace the file, and open_versioned() returns the error of a damaged one instead of moving it.
  const char* loss;
};

// Creates file and tables if they are missing. kFailedPrecondition: a newer version wrote the file, or it is a symbolic
// link. kDataLoss: it is damaged or foreign, and the kind has no `loss`. Otherwise the errors of Database. The file has
// either all tables and the version, or none: they are created in one transaction.
Result<Database> open_versioned(const std::string& path, const FileKind& kind);

// The same check for a connection that only reads: kFailedPrecondition if a newer version wrote the file. Returns the
// version; 0: the file has no tables yet.
Result<int64_t> check_version(Database& db, const FileKind& kind);

}  // namespace monitor::sqlite
