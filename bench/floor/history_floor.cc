// The floor of the history: copies the rows of an existing history into an empty SQLite file with the same tables, or
// reads the rows of a range without decoding them.
//
//   bench-history-floor insert from=FILE file=FILE    one second per transaction
//   bench-history-floor range from=FILE
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
  int64_t first = 0;  // agent, or width of a reduction
  int64_t second = 0;
  int64_t third = 0;
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
  sqlite3_bind_int64(insert, 1, row.first);
  sqlite3_bind_int64(insert, 2, row.second);
  sqlite3_bind_int64(insert, 3, row.third);
  sqlite3_bind_blob64(insert, 4, row.bytes.data(), row.bytes.size(), SQLITE_STATIC);
  sqlite3_step(insert);
  sqlite3_reset(insert);
}

int insert(sqlite3* from, const std::string& path) {
  const std::vector<Row> ticks = rows_of(from, "SELECT agent, time_ns, n, points FROM points ORDER BY time_ns, agent");
  const std::vector<Row> reduced = rows_of(from, "SELECT width, agent, bucket, cells FROM reduced ORDER BY bucket");
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) return 74;
  const char* const kMake =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
      "CREATE TABLE points(agent INTEGER, time_ns INTEGER, n INTEGER, points BLOB, PRIMARY KEY(agent, time_ns, n)) "
      "WITHOUT ROWID;"
      "CREATE TABLE reduced(width INTEGER, agent INTEGER, bucket INTEGER, cells BLOB, PRIMARY KEY(width, agent, "
      "bucket)) "
      "WITHOUT ROWID;";
  if (sqlite3_exec(db, kMake, nullptr, nullptr, nullptr) != SQLITE_OK) return 74;
  sqlite3_stmt* points = nullptr;
  sqlite3_stmt* cells = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO points VALUES(?1, ?2, ?3, ?4)", -1, &points, nullptr);
  sqlite3_prepare_v2(db, "INSERT INTO reduced VALUES(?1, ?2, ?3, ?4)", -1, &cells, nullptr);
  const int64_t begin = cpu_ns();
  size_t next = 0;
  for (size_t i = 0; i < ticks.size();) {
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const int64_t time = ticks[i].second;
    for (; i < ticks.size() && ticks[i].second == time; ++i) put(points, ticks[i]);
    for (; next < reduced.size() && (reduced[next].third <= time || i == ticks.size()); ++next)
      put(cells, reduced[next]);
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  }
  std::printf("us=%.3f\n", static_cast<double>(cpu_ns() - begin) / 1e3 / static_cast<double>(ticks.size()));
  sqlite3_finalize(points);
  sqlite3_finalize(cells);
  sqlite3_close(db);
  return 0;
}

int range(sqlite3* from) {
  const int64_t begin = cpu_ns();
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(from, "SELECT time_ns, points FROM points ORDER BY agent, time_ns, n", -1, &select, nullptr);
  size_t bytes = 0;
  while (sqlite3_step(select) == SQLITE_ROW) {
    sqlite3_column_blob(select, 1);
    bytes += static_cast<size_t>(sqlite3_column_bytes(select, 1));
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
