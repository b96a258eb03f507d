// A spool in SQLite, for comparison with the agent's own format: a table of batches in WAL mode, with one transaction
// per append and one per acknowledgement. The batches are those of bench-spool. With synchronous=NORMAL, a committed
// batch survives a crash of the process, as it does in the spool's own files.
//
//   bench-spool-sqlite append folder=DIR batches=N    appends batches, and acknowledges each at once
//   bench-spool-sqlite replay folder=DIR batches=N    reads and acknowledges a backlog in order
//   bench-spool-sqlite fill folder=DIR mebibytes=N    writes a backlog of that size, then exits as if killed
//   bench-spool-sqlite start folder=DIR mebibytes=N   opens it and reads the first batch
//
// Prints one name=value per line: us (CPU per batch), bytes (of the files, per batch), writes (system calls that
// write), ms, peak_mib.
#include <sqlite3.h>
#include <unistd.h>

#include <cstdio>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "floor/arguments.h"
#include "load/batches.h"

namespace monitor::bench {
namespace {

constexpr size_t kPoints = 8;     // per batch
constexpr size_t kBatches = 256;  // distinct batches

int64_t clock_ns(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return time.tv_sec * 1'000'000'000 + time.tv_nsec;
}

// A field of proc_pid_io(5) or proc_pid_status(5).
double own_figure(const char* file, const std::string& name) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(name)) return std::stod(line.substr(name.size()));
  }
  return 0;
}

void report(const char* name, double value) { std::printf("%s=%.3f\n", name, value); }

int fail(const std::string& what) {
  static_cast<void>(std::fprintf(stderr, "%s\n", what.c_str()));
  return 74;
}

class SqliteSpool {
 public:
  explicit SqliteSpool(const std::string& folder) {
    open_ = sqlite3_open((folder + "/spool.db").c_str(), &db_) == SQLITE_OK &&
            run("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
                "CREATE TABLE IF NOT EXISTS batch (sequence INTEGER PRIMARY KEY, bytes BLOB NOT NULL);") &&
            prepare(insert_, "INSERT INTO batch (bytes) VALUES (?)") &&
            prepare(remove_, "DELETE FROM batch WHERE sequence <= ?") &&
            prepare(first_, "SELECT sequence, bytes FROM batch ORDER BY sequence LIMIT 1");
  }
  ~SqliteSpool() {
    for (sqlite3_stmt* statement : {insert_, remove_, first_}) sqlite3_finalize(statement);
    sqlite3_close(db_);
  }
  SqliteSpool(const SqliteSpool&) = delete;
  SqliteSpool& operator=(const SqliteSpool&) = delete;

  bool open() const { return open_; }
  std::string error() const { return sqlite3_errmsg(db_); }
  bool run(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) == SQLITE_OK; }

  bool append(const std::string& batch) {
    sqlite3_bind_blob64(insert_, 1, batch.data(), batch.size(), SQLITE_STATIC);
    return finish(insert_);
  }
  // Returns the oldest batch's sequence, or 0 if the spool is empty.
  int64_t first() {
    const bool found = sqlite3_step(first_) == SQLITE_ROW;
    const int64_t sequence = found ? sqlite3_column_int64(first_, 0) : 0;
    if (found) batch_.assign(static_cast<const char*>(sqlite3_column_blob(first_, 1)), sqlite3_column_bytes(first_, 1));
    sqlite3_reset(first_);
    return sequence;
  }
  bool acknowledged(int64_t sequence) {
    sqlite3_bind_int64(remove_, 1, sequence);
    return finish(remove_);
  }

 private:
  bool prepare(sqlite3_stmt*& statement, const char* sql) {
    return sqlite3_prepare_v2(db_, sql, -1, &statement, nullptr) == SQLITE_OK;
  }
  static bool finish(sqlite3_stmt* statement) {
    const bool done = sqlite3_step(statement) == SQLITE_DONE;
    return sqlite3_reset(statement) == SQLITE_OK && done;
  }

  sqlite3* db_ = nullptr;
  sqlite3_stmt* insert_ = nullptr;
  sqlite3_stmt* remove_ = nullptr;
  sqlite3_stmt* first_ = nullptr;
  std::string batch_;
  bool open_ = false;
};

std::vector<std::string> make_batches() {
  load::BatchMaker maker("bench", 1, {kPoints, 1});
  std::vector<std::string> batches;
  batches.reserve(kBatches);
  for (size_t i = 0; i < kBatches; ++i) batches.push_back(maker.next());
  return batches;
}

bool drain(SqliteSpool& spool) {
  while (const int64_t sequence = spool.first()) {
    if (!spool.acknowledged(sequence)) return false;
  }
  return true;
}

int append(SqliteSpool& spool, uint64_t count) {
  const auto batches = make_batches();
  const double writes = own_figure("/proc/self/io", "syscw: ");
  const int64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  for (uint64_t i = 0; i < count; ++i) {
    if (!spool.append(batches[i % kBatches]) || !drain(spool)) return fail(spool.error());
  }
  const int64_t took = clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin;
  report("us", static_cast<double>(took) / 1e3 / static_cast<double>(count));
  report("writes", own_figure("/proc/self/io", "syscw: ") - writes);
  return 0;
}

// Transactions of one batch each, as an agent appends them.
bool fill(SqliteSpool& spool, uint64_t count) {
  const auto batches = make_batches();
  for (uint64_t i = 0; i < count; ++i) {
    if (!spool.append(batches[i % kBatches])) return false;
  }
  return true;
}

double bytes_in(const std::string& folder) {
  double bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) bytes += static_cast<double>(entry.file_size());
  return bytes;
}

int replay(SqliteSpool& spool, const std::string& folder, uint64_t count) {
  if (!fill(spool, count)) return fail(spool.error());
  spool.run("PRAGMA wal_checkpoint(TRUNCATE)");
  report("bytes", bytes_in(folder) / static_cast<double>(count));
  const int64_t begin = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
  if (!drain(spool)) return fail(spool.error());
  report("us", static_cast<double>(clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin) / 1e3 / static_cast<double>(count));
  return 0;
}

int run(const Arguments& arguments) {
  const auto words = arguments.rest();
  const std::string mode = words.empty() ? "" : words[0];
  const std::string folder = arguments.text("folder");
  const int64_t begin = clock_ns(CLOCK_MONOTONIC);
  SqliteSpool spool(folder);
  if (!spool.open()) return fail(spool.error());
  if (mode == "append") return append(spool, static_cast<uint64_t>(arguments.number("batches")));
  if (mode == "replay") return replay(spool, folder, static_cast<uint64_t>(arguments.number("batches")));
  if (mode == "fill") {
    uint64_t size = 1;
    for (const std::string& batch : make_batches()) size += batch.size();
    const auto mebibytes = static_cast<uint64_t>(arguments.number("mebibytes"));
    if (!fill(spool, (mebibytes << 20) * kBatches / size)) return fail(spool.error());
    _exit(0);  // as if killed: leaves the WAL behind
  }
  if (mode != "start") return fail("append, replay, fill or start");
  if (spool.first() == 0) return fail("the spool is empty");
  report("ms", static_cast<double>(clock_ns(CLOCK_MONOTONIC) - begin) / 1e6);
  report("peak_mib", own_figure("/proc/self/status", "VmHWM:") / 1024);
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
