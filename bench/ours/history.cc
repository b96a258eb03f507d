// The page's history: writes the ticks of a fleet as they arrive, and queries a range.
//
//   bench-history insert folder=DIR agents=N seconds=N     writes one tick per second and agent, and commits every
//                                                          second, or every N seconds with commit=N
//   bench-history range folder=DIR agents=N seconds=N      reads every tick of one metric of all agents that insert
//   wrote
//
// Prints its results, one name=value per line. Times are CPU times.
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "floor/arguments.h"
#include "load/host_series.h"
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

// A tick of an agent, with values that change as a host's do.
metrics::Batch tick_of(size_t agent, int64_t time_ns, uint64_t sequence, Random& random) {
  metrics::Batch batch;
  batch.agent_id = "agent-" + std::to_string(agent);
  batch.hostname = "host";
  batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  batch.sequence = sequence;
  batch.appended_ns = time_ns;
  batch.send_every_ns = static_cast<uint64_t>(kNanosPerSecond);
  batch.series = load::host_series(kPoints);
  metrics::Frame frame{.time_ns = time_ns, .rates_since_ns = time_ns - kNanosPerSecond, .points = {}};
  for (size_t i = 0; i < kPoints; ++i) {
    metrics::Point point{.series = static_cast<metrics::SeriesId>(i)};
    if (batch.series[i].integer) {
      point.integer = static_cast<int64_t>(random.below(i < 2 ? 10'000 : 100'000'000));
    } else {
      point.real = random.unit();
    }
    frame.points.push_back(point);
  }
  batch.frames.push_back(std::move(frame));
  return batch;
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
  SeededRandom random(1);
  const int64_t begin_ns = clock.wall_ns() - seconds * kNanosPerSecond;
  int64_t spent = 0;
  int64_t offset = 0;
  std::vector<metrics::Batch> batches;
  for (int64_t second = 0; second < seconds; ++second) {
    const int64_t time = begin_ns + second * kNanosPerSecond;
    batches.clear();
    for (size_t i = 0; i < agents; ++i) batches.push_back(tick_of(i, time, static_cast<uint64_t>(second) + 1, random));
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
  return 0;
}

int range(const Arguments& arguments, const std::string& path) {
  history::RangeRequest request{.metric = "system.cpu.utilization", .from_ns = 0, .to_ns = INT64_MAX};
  for (int64_t i = 0; i < arguments.number("agents"); ++i) request.agents.push_back("agent-" + std::to_string(i));
  request.resolution = analysis::Resolution::kFull;
  request.max_points = SIZE_MAX;
  auto reader = history::HistoryReader::open(path);
  if (!reader) return 74;
  const int64_t begin = cpu_ns();
  const auto found = (*reader)->range(request);
  if (!found) return 74;
  const std::string json = history::to_json(*found, request, "");
  const int64_t spent = cpu_ns() - begin;
  size_t points = 0;
  for (const auto& series : found->series) points += series.times_ns.size();
  std::printf("ms=%.3f\npoints=%zu\nbytes=%zu\n", static_cast<double>(spent) / 1e6, points, json.size());
  return 0;
}

int run(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.rest();
  const std::string path = arguments.text("folder") + "/history.db";
  if (!words.empty() && words[0] == "range") return range(arguments, path);
  return insert(arguments, path);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
