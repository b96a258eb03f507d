// The tables of the log file and what their versions mean.
#pragma once

#include <string>

#include "base/result.h"
#include "metriclog/sqlite/database.h"

namespace monitor::metriclog::sqlite {

inline constexpr int64_t kSchemaVersion = 1;

// What a log file says of itself.
struct LogIdentity {
  std::string log_id;  // random, made with the file: another file under the same name has another one
};

// Opens for writing, making folder, file and tables as needed, and checks that the ends of the log can be read.
Result<Database> open_for_writing(const std::string& path, const char* vfs);

// Opens for reading alone. kNotFound: no file, or one whose writer has not finished making it.
Result<Database> open_for_reading(const std::string& path);

// kNotFound when the tables are not there yet.
Result<LogIdentity> read_identity(Database& database);

}  // namespace monitor::metriclog::sqlite
