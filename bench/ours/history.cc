// The page's history: writes the ticks of a fleet as they arrive, and queries a range.
//
//   bench-history insert folder=DIR agents=N seconds=N     writes one tick per second and agent, and commits every
//                                                          second, or every N seconds with commit=N
//   bench-history ticks file=FILE agents=N seconds=N       writes the same ticks into an SQLite file, one row each, for
//                                                          the floor of insert
//   bench-history columns agents=N seconds=N               prints the same values as columns, for the floor of the
//   bytes bench-history range folder=DIR agents=N seconds=N      reads every tick of one metric of all agents that
//   insert wrote
//
// Prints its results, one name=value per line. Times are CPU times. block_bytes are the bytes of the tables of sealed
// blocks in the file, file_bytes all used pages; both per value.
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/protowire.h"
#include "base/random.h"
#include "floor/arguments.h"
#include "load/host_series.h"
#include "views/history/codec.h"
#include "views/history/query.h"
#include "views/history/store.h"

namespace monitor::bench {
namespace {

namespace history = analysis::history;

constexpr size_t kPoints = 8;  // per tick

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

// A host's values, which change as a real one's do: shares that vary by a few per cent, memory in pages that come and
// go, a disk that is mostly idle, a network that never is. Times and elapsed times vary by some microseconds.
class Host {
 public:
  explicit Host(uint64_t seed) : random_(seed) {}

  std::array<int64_t, kPoints> next() {
    cpu_ += (1500 - cpu_) / 8 + noise(200);
    if (random_.below(3) > 0) used_ += noise(20) * kPage;
    const int64_t elapsed_us = 1'000'000 + noise(60);
    const auto rate = [&](int64_t bytes) { return bytes * 1'000'000 / elapsed_us; };
    const int64_t read = random_.below(20) == 0 ? below(200) * kPage : 0;
    const int64_t written = random_.below(5) == 0 ? below(60) * kPage : 0;
    return {std::clamp<int64_t>(cpu_, 0, 10'000),
            used_ / (kLimit / 10'000),
            used_,
            kLimit,
            rate(read),
            rate(written),
            rate(2000 + below(3000)),
            rate(1500 + below(2500))};
  }
  int64_t delay_ns() { return below(100'000); }

 private:
  static constexpr int64_t kPage = 4096;
  static constexpr int64_t kLimit = int64_t{8} << 30;
  int64_t below(uint64_t bound) { return static_cast<int64_t>(random_.below(bound)); }
  int64_t noise(int64_t most) { return below(static_cast<uint64_t>(2 * most + 1)) - most; }

  SeededRandom random_;
  int64_t cpu_ = 1500;
  int64_t used_ = kLimit / 4;
};

metrics::Batch tick_of(size_t agent, int64_t time_ns, uint64_t sequence, Host& host) {
  metrics::Batch batch;
  batch.agent_id = "agent-" + std::to_string(agent);
  batch.hostname = "host";
  batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  batch.sequence = sequence;
  batch.appended_ns = time_ns;
  batch.send_every_ns = static_cast<uint64_t>(kNanosPerSecond);
  batch.series = load::host_series(kPoints);
  metrics::Frame frame{.time_ns = time_ns + host.delay_ns(), .rates_since_ns = time_ns - kNanosPerSecond, .points = {}};
  const auto values = host.next();
  for (size_t i = 0; i < kPoints; ++i) {
    metrics::Point point{.series = static_cast<metrics::SeriesId>(i)};
    point.integer = values[i];
    frame.points.push_back(point);
  }
  batch.frames.push_back(std::move(frame));
  return batch;
}

std::vector<Host> hosts(size_t agents) {
  std::vector<Host> made;
  for (size_t i = 0; i < agents; ++i) made.emplace_back(i + 1);
  return made;
}

double number_of(sqlite3* db, const char* sql) {
  sqlite3_stmt* select = nullptr;
  sqlite3_prepare_v2(db, sql, -1, &select, nullptr);
  const double found = sqlite3_step(select) == SQLITE_ROW ? sqlite3_column_double(select, 0) : 0;
  sqlite3_finalize(select);
  return found;
}

void print_bytes(const std::string& path, double values) {
  sqlite3* db = nullptr;
  if (sqlite3_open_v2(path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK) {
    const double sealed = number_of(db, "SELECT sum(round((last_ns - first_ns) / 1e9) + 1) FROM blocks") * kPoints;
    const double blocks = number_of(db, "SELECT sum(pgsize) FROM dbstat WHERE name IN ('blocks', 'block_rows')");
    const double pages = number_of(db, "PRAGMA page_count") - number_of(db, "PRAGMA freelist_count");
    if (sealed > 0) std::printf("block_bytes=%.3f\n", blocks / sealed);
    std::printf("file_bytes=%.3f\n", pages * number_of(db, "PRAGMA page_size") / values);
  }
  sqlite3_close(db);
}

int insert(const Arguments& arguments, const std::string& path) {
  const auto agents = static_cast<size_t>(arguments.number("agents"));
  const int64_t seconds = arguments.number("seconds");
  const SystemClock clock;
  telemetry::Registry registry;
  auto store = history::HistoryStore::open({.path = path}, clock, registry);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message().c_str());
    return 74;
  }
  const int64_t commit = arguments.has("commit") ? arguments.number("commit") : 1;
  auto fleet = hosts(agents);
  const int64_t begin_ns = clock.wall_ns() - seconds * kNanosPerSecond;
  int64_t spent = 0;
  int64_t offset = 0;
  std::vector<metrics::Batch> batches;
  for (int64_t second = 0; second < seconds; ++second) {
    const int64_t time = begin_ns + second * kNanosPerSecond;
    batches.clear();
    for (size_t i = 0; i < agents; ++i)
      batches.push_back(tick_of(i, time, static_cast<uint64_t>(second) + 1, fleet[i]));
    const int64_t begin = cpu_ns();
    for (const metrics::Batch& batch : batches) {
      (*store)->apply({.partition = 0, .offset = ++offset, .time_ns = time}, batch);
    }
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = offset + 1};
    const bool due = (second + 1) % commit == 0 || second + 1 == seconds;
    if (due && !(*store)->store("bench", std::span(&snapshot, 1))) return 74;
    spent += cpu_ns() - begin;
  }
  std::printf("us=%.3f\n", static_cast<double>(spent) / 1e3 / static_cast<double>(offset));
  print_bytes(path, static_cast<double>(offset) * kPoints);
  return 0;
}

// The floor copies these rows.
int ticks(const Arguments& arguments) {
  sqlite3* db = nullptr;
  if (sqlite3_open(arguments.text("file").c_str(), &db) != SQLITE_OK) return 74;
  sqlite3_exec(
      db,
      "PRAGMA journal_mode=OFF; BEGIN; CREATE TABLE points(agent INTEGER, time_ns INTEGER, n INTEGER, points BLOB,"
      " PRIMARY KEY(agent, time_ns, n)) WITHOUT ROWID",
      nullptr, nullptr, nullptr);
  sqlite3_stmt* put = nullptr;
  sqlite3_prepare_v2(db, "INSERT INTO points VALUES(?1, ?2, 0, ?3)", -1, &put, nullptr);
  auto fleet = hosts(static_cast<size_t>(arguments.number("agents")));
  std::string bytes;
  for (int64_t second = 0; second < arguments.number("seconds"); ++second) {
    for (size_t i = 0; i < fleet.size(); ++i) {
      bytes.clear();
      analysis::PointWriter writer(bytes);
      const auto values = fleet[i].next();
      for (uint32_t k = 0; k < kPoints; ++k) writer.add({k, true, static_cast<uint64_t>(values[k])});
      sqlite3_bind_int64(put, 1, static_cast<int64_t>(i));
      sqlite3_bind_int64(put, 2, second * kNanosPerSecond);
      sqlite3_bind_blob64(put, 3, bytes.data(), bytes.size(), SQLITE_STATIC);
      sqlite3_step(put);
      sqlite3_reset(put);
    }
  }
  sqlite3_finalize(put);
  sqlite3_exec(db, "COMMIT", nullptr, nullptr, nullptr);
  return sqlite3_close(db) == SQLITE_OK ? 0 : 74;
}

// One column a series: the difference of each value to the one before, as a varint.
int columns(const Arguments& arguments) {
  std::string out;
  auto fleet = hosts(static_cast<size_t>(arguments.number("agents")));
  for (Host& host : fleet) {
    std::array<std::string, kPoints> its;
    std::array<int64_t, kPoints> last{};
    for (int64_t second = 0; second < arguments.number("seconds"); ++second) {
      const auto values = host.next();
      for (size_t k = 0; k < kPoints; ++k) {
        protowire::put_varint(its[k], protowire::zigzag(values[k] - last[k]));
        last[k] = values[k];
      }
    }
    for (const std::string& column : its) out += column;
  }
  return std::fwrite(out.data(), 1, out.size(), stdout) == out.size() ? 0 : 74;
}

int range(const Arguments& arguments, const std::string& path) {
  history::RangeRequest request{.metric = "system.cpu.utilization", .from_ns = 0, .to_ns = INT64_MAX};
  for (int64_t i = 0; i < arguments.number("agents"); ++i) request.agents.push_back("agent-" + std::to_string(i));
  request.resolution = analysis::Resolution::kFull;
  request.max_points = SIZE_MAX;
  auto reader = history::HistoryReader::open(path);
  if (!reader) return 74;
  const int64_t begin = cpu_ns();
  const auto json = (*reader)->range_json(request, "");
  const int64_t spent = cpu_ns() - begin;
  if (!json) return 74;
  const auto found = (*reader)->range(request);
  if (!found) return 74;
  size_t points = 0;
  for (const auto& series : found->series) points += series.times_ns.size();
  if (points == 0 || *json != history::to_json(*found, request, "")) return 74;
  std::printf("ms=%.3f\npoints=%zu\nbytes=%zu\n", static_cast<double>(spent) / 1e6, points, json->size());
  return 0;
}

int run(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.rest();
  if (!words.empty() && words[0] == "ticks") return ticks(arguments);
  if (!words.empty() && words[0] == "columns") return columns(arguments);
  const std::string path = arguments.text("folder") + "/history.db";
  if (!words.empty() && words[0] == "range") return range(arguments, path);
  return insert(arguments, path);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
