// The tables of the log file, and their version.
#pragma once

#include <string>

#include "base/result.h"
#include "sqlite/database.h"
#include "sqlite/opened_files.h"

namespace monitor::metriclog::sqlite {

using monitor::sqlite::Database;
using monitor::sqlite::OpenedFiles;
using monitor::sqlite::ResetLater;
using monitor::sqlite::Statement;

inline constexpr int64_t kSchemaVersion = 1;

// The metadata of a log file.
struct LogIdentity {
  std::string log_id;  // random, created with the file; distinguishes files with the same name

  // LogWriter::identity()
  std::string name() const { return log_id.empty() ? log_id : "sqlite:" + log_id; }
};

// Opens the file for writing, creating folder, file and tables as needed, and checks that both ends of the log are
// readable.
Result<Database> open_for_writing(const std::string& path, const char* vfs);

// Opens the file read-only. kNotFound: there is no file, or its writer has not finished creating it. kUnavailable:
// somebody moves its files at this moment.
Result<Database> open_for_reading(const std::string& path);

// kNotFound if the tables do not exist yet.
Result<LogIdentity> read_identity(Database& database);

}  // namespace monitor::metriclog::sqlite
