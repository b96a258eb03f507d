// The floor of the history: inserts one row for each tick into an empty SQLite file, or reads the rows of a range
// without decoding them.
//
//   bench-history-floor insert from=FILE file=FILE    the rows of `bench-history ticks`, one second per transaction
//   bench-history-floor range from=FILE               the times and the first series of every block
//
// Prints the CPU microseconds per tick for insert, and the milliseconds of the scan for range.
#include <sqlite3.h>

#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "floor/arguments.h"

namespace monitor::bench {
namespace {

struct Row {
  int64_t agent = 0;
  int64_t time_ns = 0;
  int64_t n = 0;
  std::string bytes;
};

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

std::vector<Row> rows_of(sqlite3* db, const char* sql) {
  std::vector<Row> rows;
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(db, sql, -1, &select, nullptr);
  while (sqlite3_step(select) == SQLITE_ROW) {
    rows.push_back({sqlite3_column_int64(select, 0), sqlite3_column_int64(select, 1), sqlite3_column_int64(select, 2),
                    std::string(static_cast<const char*>(sqlite3_column_blob(select, 3)),
                                static_cast<size_t>(sqlite3_column_bytes(select, 3)))});
  }
  sqlite3_finalize(select);
  return rows;
}

void put(sqlite3_stmt* insert, const Row& row) {
  sqlite3_bind_int64(insert, 1, row.agent);
  sqlite3_bind_int64(insert, 2, row.time_ns);
  sqlite3_bind_int64(insert, 3, row.n);
  sqlite3_bind_blob64(insert, 4, row.bytes.data(), row.bytes.size(), SQLITE_STATIC);
  sqlite3_step(insert);
  sqlite3_reset(insert);
}

int insert(sqlite3* from, const std::string& path) {
  const std::vector<Row> ticks = rows_of(from, "SELECT agent, time_ns, n, points FROM points ORDER BY time_ns, agent");
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) return 74;
  const char* const kMake =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
      "CREATE TABLE points(agent INTEGER, time_ns INTEGER, n INTEGER, points BLOB, PRIMARY KEY(agent, time_ns, n)) "
      "WITHOUT ROWID;";
  if (sqlite3_exec(db, kMake, nullptr, nullptr, nullptr) != SQLITE_OK) return 74;
  sqlite3_stmt* points = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO points VALUES(?1, ?2, ?3, ?4)", -1, &points, nullptr);
  const int64_t begin = cpu_ns();
  for (size_t i = 0; i < ticks.size();) {
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const int64_t time = ticks[i].time_ns;
    for (; i < ticks.size() && ticks[i].time_ns == time; ++i) put(points, ticks[i]);
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  std::printf("us=%.3f\n", static_cast<double>(cpu_ns() - begin) / 1e3 / static_cast<double>(ticks.size()));
  sqlite3_finalize(points);
  sqlite3_close(db);
  return 0;
}

int range(sqlite3* from) {
  const int64_t begin = cpu_ns();
  sqlite3_stmt* select = nullptr;
  // A block's rows are its number times 2^28: the times; and the series from 1 on.
  sqlite3_prepare_v2(
      from,
      "SELECT bytes FROM blocks JOIN block_rows ON block_rows.id IN (blocks.id << 28, (blocks.id << 28) + 1)"
      " ORDER BY agent, begin_ns",
      -1, &select, nullptr);
  size_t bytes = 0;
  while (sqlite3_step(select) == SQLITE_ROW) {
    sqlite3_column_blob(select, 0);
    bytes += static_cast<size_t>(sqlite3_column_bytes(select, 0));
  }
  sqlite3_finalize(select);
  std::printf("ms=%.3f\nbytes=%zu\n", static_cast<double>(cpu_ns() - begin) / 1e6, bytes);
  return 0;
}

int run(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.rest();
  sqlite3* from = nullptr;
  if (sqlite3_open_v2(arguments.text("from").c_str(), &from, SQLITE_OPEN_READONLY, nullptr) != SQLITE_OK) return 74;
  const int status = !words.empty() && words[0] == "range" ? range(from) : insert(from, arguments.text("file"));
  sqlite3_close(from);
  return status;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
