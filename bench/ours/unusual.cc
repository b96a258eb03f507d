// The scores of a fleet's series: how long reading its week takes, and how long each update once a minute.
//
//   bench-unusual make folder=DIR agents=N   writes a week of 1-minute rollups of N agents with 20 series, and ten
//                                            minutes of ticks once a second
//   bench-unusual run folder=DIR             scores the fleet, and updates the scores for three minutes
//
// `run` prints one name=value per line: CPU times in milliseconds, `load_ms` for reading the week and `ms` of the
// fastest update; series, and bytes of memory for each.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "base/random.h"
#include "floor/arguments.h"
#include "load/host_series.h"
#include "views/history/store.h"
#include "views/unusual/tracker.h"

namespace monitor::bench {
namespace {

namespace history = analysis::history;
namespace unusual = analysis::unusual;

constexpr size_t kSeries = 20;
constexpr int64_t kWeekMinutes = int64_t{7} * 1440;
constexpr int64_t kOpenSeconds = 600;
constexpr int64_t kBeginNs = int64_t{1'700'000'100} * kNanosPerSecond;
constexpr int64_t kEndNs = kBeginNs + kWeekMinutes * unusual::kMinuteNs + kOpenSeconds * kNanosPerSecond;

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return 74;
}

class Maker {
 public:
  explicit Maker(history::HistoryStore& store) : store_(store) {}

  void tick(size_t agent, int64_t time_ns) {
    metrics::Batch batch;
    batch.agent_id = "agent-" + std::to_string(agent);
    batch.hostname = "host-" + std::to_string(agent);
    batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
    batch.sequence = ++sequence_;
    batch.appended_ns = time_ns;
    batch.series = series_;
    metrics::Frame frame{.time_ns = time_ns, .rates_since_ns = 0, .points = {}};
    for (size_t i = 0; i < kSeries; ++i) {
      metrics::Point point{.series = static_cast<metrics::SeriesId>(i)};
      if (series_[i].integer) {
        point.integer = static_cast<int64_t>(random_.below(10'000));
      } else {
        point.real = static_cast<double>(random_.below(1'000'000)) / 7;
      }
      frame.points.push_back(point);
    }
    batch.frames.push_back(std::move(frame));
    store_.apply({.partition = 0, .offset = ++offset_, .time_ns = time_ns}, batch);
  }
  Status commit() {
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = offset_ + 1};
    return store_.store("log", std::span(&snapshot, 1));
  }

 private:
  history::HistoryStore& store_;
  const std::vector<metrics::Series> series_ = load::host_series(kSeries);
  SeededRandom random_{1};
  uint64_t sequence_ = 0;
  int64_t offset_ = 0;
};

// The rollups of the first agent, for all others.
Status copy_rollups(const std::string& path) {
  auto db = history::open_for_writing(path);
  if (!db) return db.error();
  return db->exec(
      "INSERT OR REPLACE INTO reduced(width, agent, bucket, cells) SELECT r.width, a.id, r.bucket, r.cells"
      " FROM reduced r, agents a WHERE r.width = 60000000000 AND r.agent = (SELECT min(id) FROM agents)"
      " AND a.id <> r.agent");
}

int make(const std::string& path, size_t agents) {
  const SystemClock clock;
  telemetry::Registry registry;
  {
    auto store = history::HistoryStore::open({.path = path}, clock, registry);
    if (!store) return fail(store.error());
    Maker maker(**store);
    for (int64_t minute = 0; minute < kWeekMinutes; ++minute) {
      // All agents are known from the first minute on.
      for (size_t agent = 0; agent < (minute == 0 ? agents : 1); ++agent) {
        maker.tick(agent, kBeginNs + minute * unusual::kMinuteNs);
      }
      if (minute % 60 != 0) continue;
      if (auto stored = maker.commit(); !stored) return fail(stored.error());
    }
    if (auto stored = maker.commit(); !stored) return fail(stored.error());
  }
  if (auto copied = copy_rollups(path); !copied) return fail(copied.error());
  auto store = history::HistoryStore::open({.path = path}, clock, registry);
  if (!store) return fail(store.error());
  Maker maker(**store);
  for (int64_t second = 0; second < kOpenSeconds; ++second) {
    for (size_t agent = 0; agent < agents; ++agent) {
      maker.tick(agent, kEndNs - (kOpenSeconds - second) * kNanosPerSecond);
    }
    if (auto stored = maker.commit(); !stored) return fail(stored.error());
  }
  return 0;
}

int score(const std::string& path) {
  const SystemClock clock;
  unusual::ScoreBoard board;
  auto tracker = unusual::Tracker::open(path, clock, board);
  if (!tracker) return fail(tracker.error());
  int64_t before = cpu_ns();
  if (auto done = (*tracker)->pass(kEndNs - 3 * unusual::kMinuteNs); !done) return fail(done.error());
  std::printf("load_ms=%.1f\n", static_cast<double>(cpu_ns() - before) / 1e6);
  int64_t fastest = INT64_MAX;
  for (int64_t minute = 2; minute >= 0; --minute) {
    before = cpu_ns();
    if (auto done = (*tracker)->pass(kEndNs - minute * unusual::kMinuteNs); !done) return fail(done.error());
    fastest = std::min(fastest, cpu_ns() - before);
  }
  const size_t series = (*tracker)->series();
  std::printf("ms=%.1f\nseries=%zu\nbytes=%.0f\n", static_cast<double>(fastest) / 1e6, series,
              static_cast<double>((*tracker)->bytes()) / static_cast<double>(std::max<size_t>(series, 1)));
  return 0;
}

int run(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.rest();
  const std::string path = arguments.text("folder") + "/history.db";
  if (!words.empty() && words[0] == "make") return make(path, static_cast<size_t>(arguments.number("agents")));
  return score(path);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
