// The floor of rules: what any program has to do that keeps alerts in SQLite. Compares the newest value of 10,000
// series, which are in memory, with a limit, and writes two samples for each of those that exceed it, half of them, in
// one transaction.
//
//   bench-rules-floor file=FILE agents=N
//
// Prints ms: the CPU milliseconds of the fastest of three rounds.
#include <sqlite3.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "floor/arguments.h"

namespace monitor::bench {
namespace {

constexpr size_t kRules = 10;

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

void put(sqlite3_stmt* insert, int64_t series, int64_t time, int64_t value) {
  sqlite3_bind_int64(insert, 1, series);
  sqlite3_bind_int64(insert, 2, time);
  sqlite3_bind_int64(insert, 3, value);
  sqlite3_step(insert);
  sqlite3_reset(insert);
}

int run(const Arguments& arguments) {
  const auto count = static_cast<size_t>(arguments.number("agents")) * kRules;
  std::vector<double> values;
  for (size_t i = 0; i < count; ++i) values.push_back(static_cast<double>(i % 2));
  sqlite3* db = nullptr;
  if (sqlite3_open(arguments.text("file").c_str(), &db) != SQLITE_OK) return 74;
  const char* const kMake =
      "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-65536;"
      "CREATE TABLE samples(series INTEGER, time_ms INTEGER, value INTEGER NOT NULL, PRIMARY KEY(series, time_ms)) "
      "WITHOUT ROWID;";
  if (sqlite3_exec(db, kMake, nullptr, nullptr, nullptr) != SQLITE_OK) return 74;
  sqlite3_stmt* insert = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO samples VALUES(?1, ?2, ?3)", -1, &insert, nullptr);
  std::vector<double> times;
  for (int64_t round = 0; round < 3; ++round) {
    const int64_t begin = cpu_ns();
    sqlite3_exec(db, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    for (size_t i = 0; i < count; ++i) {
      if (values[i] < 0.5) continue;
      put(insert, static_cast<int64_t>(2 * i), round, 1);
      put(insert, static_cast<int64_t>(2 * i + 1), round, 1);
    }
    sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
    times.push_back(static_cast<double>(cpu_ns() - begin) / 1e6);
  }
  std::printf("ms=%.3f\n", *std::ranges::min_element(times));
  sqlite3_finalize(insert);
  return sqlite3_close(db) == SQLITE_OK ? 0 : 74;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
