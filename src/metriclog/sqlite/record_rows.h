// What those who read the log's records have in common. Not thread-safe: as the database is.
#pragma once

#include <cstdint>
#include <string_view>

#include "metriclog/log.h"
#include "metriclog/sqlite/database.h"

namespace monitor::metriclog::sqlite {

// Offset, time, key, headers and value from ?1 on, at most ?2 of them.
inline constexpr std::string_view kSelectRecords =
    "SELECT offset, time_ns, key, headers, value FROM records WHERE offset >= ?1 ORDER BY offset LIMIT ?2";
// The row that the statement is at.
Record record_of(const Statement& row);

// Behind the last record.
Result<int64_t> end_offset(Database& db);
// The oldest record that is left, or where the next one will be.
Result<int64_t> first_offset(Database& db);
// The first record that the log took at or after the time. By halves: times rise with the offsets, but for where the
// log's clock was set back; there, at one of the crossings.
Result<int64_t> first_since(Database& db, int64_t time_ns);

}  // namespace monitor::metriclog::sqlite
