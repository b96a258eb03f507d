// Helpers for reading the log's records. Not thread-safe, like the database.
#pragma once

#include <cstdint>
#include <string_view>

#include "metriclog/log.h"
#include "metriclog/sqlite/schema.h"

namespace monitor::metriclog::sqlite {

// Selects offset, time, key, headers and value, from offset ?1 on, at most ?2 records.
inline constexpr std::string_view kSelectRecords =
    "SELECT offset, time_ns, key, headers, value FROM records WHERE offset >= ?1 ORDER BY offset LIMIT ?2";
// Converts the current row of the statement.
Record record_of(const Statement& row);

// The offset after the last record.
Result<int64_t> end_offset(Database& db);
// The offset of the oldest record, or of the next one if there is none.
Result<int64_t> first_offset(Database& db);
// The first record stored at or after the time, by binary search: times rise with offsets, unless the log's clock was
// set back. In that case, finds one of the places where the time is crossed.
Result<int64_t> first_since(Database& db, int64_t time_ns);

}  // namespace monitor::metriclog::sqlite
