// Writes a history for live_test.py: two days of two agents, a tick each minute, up to a time.
//
//   unusual_history FILE END
//
// END is in seconds since 1970. In the last four minutes, two of four series of "web-1" are far outside their extremes;
// "web-2" has nothing unusual, and "new" only the last hour.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "views/history/store.h"

namespace monitor::analysis::history {
namespace {

constexpr int64_t kMinutes = 2880;
constexpr int64_t kMinuteNs = 60 * kNanosPerSecond;

metrics::Batch tick(const std::string& agent, int64_t minute, int64_t back) {
  metrics::Batch batch;
  batch.agent_id = agent;
  batch.hostname = "host-of-" + agent;
  batch.incarnation = std::string(16, 'i');
  batch.sequence = static_cast<uint64_t>(kMinutes - back) + 1;
  batch.appended_ns = minute * kMinuteNs;
  batch.series = {
      {.name = "system.memory.usage", .labels = {{"system.memory.state", "used"}}, .unit = "By", .integer = true},
      {.name = "system.processes.count", .labels = {}, .unit = "{process}", .integer = true},
      {.name = "system.network.errors",
       .labels = {{"network.interface.name", "eth0"}},
       .unit = "{error}",
       .kind = metrics::Kind::kCounter,
       .integer = true},
      {.name = "system.cpu.utilization", .labels = {}, .unit = "1", .integer = true, .exponent = -4}};
  const bool unusual = agent == "web-1" && back <= 4;
  const int64_t wave = minute % 7;
  metrics::Frame frame{.time_ns = minute * kMinuteNs, .rates_since_ns = 0, .points = {}};
  for (const int64_t value :
       {1'000'000 + 1000 * wave + (unusual ? 60'000 : 0), 100 + wave, unusual ? 60 * (5 - back) : 0, 100 * wave}) {
    metrics::Point point{.series = static_cast<metrics::SeriesId>(frame.points.size())};
    point.integer = value;
    frame.points.push_back(point);
  }
  batch.frames.push_back(std::move(frame));
  return batch;
}

int write(const std::string& path, int64_t end_s) {
  const SystemClock clock;
  telemetry::Registry registry;
  auto store = HistoryStore::open({.path = path}, clock, registry);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().message().c_str());
    return 74;
  }
  const int64_t end = end_s / 60;
  for (int64_t back = kMinutes; back >= 1; --back) {
    for (const char* const agent : {"web-1", "web-2", "new"}) {
      if (std::string(agent) == "new" && back > 60) continue;
      const int64_t minute = end - back;
      (*store)->apply({.partition = 0, .offset = back, .time_ns = minute * kMinuteNs}, tick(agent, minute, back));
    }
    if (back % 500 != 1) continue;
    if (auto stored = (*store)->store("", {}); !stored) {
      std::fprintf(stderr, "%s\n", stored.error().message().c_str());
      return 74;
    }
  }
  return 0;
}

}  // namespace
}  // namespace monitor::analysis::history

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: unusual_history FILE END\n");
    return 64;
  }
  return monitor::analysis::history::write(argv[1], std::strtoll(argv[2], nullptr, 10));
}
