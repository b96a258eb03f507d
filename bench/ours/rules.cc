// Rules over a fleet: evaluates ten alerting rules over all agents, of which half have an alert for each agent.
//
//   bench-rules make folder=DIR agents=N      writes seven minutes of the fleet's history, one tick per second and
//   agent bench-rules run folder=DIR agents=N       evaluates the rules three times, 15 s apart, over that history
//
// `run` prints one name=value per line. Times are CPU times, in milliseconds: `first_ms` of the first evaluation, `ms`
// of the fastest of the later ones. alerts: how many there are.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "floor/arguments.h"
#include "load/host_series.h"
#include "rules/engine.h"
#include "rules/sqlite_store.h"
#include "views/history/recent_source.h"
#include "views/history/store.h"

namespace monitor::bench {
namespace {

namespace history = analysis::history;

constexpr size_t kSeries = 16;
constexpr int64_t kSeconds = 420;
constexpr int64_t kStepMs = 15'000;
constexpr int64_t kBeginMs = 1'700'000'100'000;

constexpr const char* kRules = R"(
groups:
- name: fleet
  interval: 15s
  rules:
  - {alert: R1, expr: '{"system.cpu.utilization"} >= 0', labels: {severity: page}, annotations: {text: '{{ $labels.agent }} is at {{ $value }}'}}
  - {alert: R2, expr: '{"system.cpu.utilization"} > 2', for: 5m}
  - {alert: R3, expr: 'avg_over_time({"system.cpu.utilization"}[1m]) >= 0', for: 1m, annotations: {text: '{{ $value | humanizePercentage }}'}}
  - {alert: R4, expr: 'max_over_time({"system.memory.utilization"}[5m]) > 2'}
  - {alert: R5, expr: '{"system.memory.usage"} > 0', for: 5m, labels: {severity: ticket}}
  - {alert: R6, expr: '{"system.memory.usage"} / on(agent) group_left() {"system.memory.limit"} > 2'}
  - {alert: R7, expr: 'sum by (agent) ({"system.network.io.rate"}) >= 0'}
  - {alert: R8, expr: 'system_disk_io_rate_bytes_per_second{disk_io_direction="read",system_device=""} < 0'}
  - {alert: R9, expr: 'quantile_over_time(0.9, {"system.cpu.utilization"}[2m]) >= 0', annotations: {text: '{{ $value }}'}}
  - {alert: R10, expr: 'predict_linear({"system.memory.usage"}[5m], 3600) < -1e18'}
)";

int64_t cpu_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return time.tv_sec * kNanosPerSecond + time.tv_nsec;
}

int fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  return 74;
}

int make(const std::string& path, size_t agents) {
  const SystemClock clock;
  telemetry::Registry registry;
  auto store = history::HistoryStore::open({.path = path}, clock, registry);
  if (!store) return fail(store.error());
  SeededRandom random(1);
  const auto series = load::host_series(kSeries);
  int64_t offset = 0;
  for (int64_t second = 0; second < kSeconds; ++second) {
    const int64_t time = (kBeginMs + second * 1000) * kNanosPerMilli;
    for (size_t agent = 0; agent < agents; ++agent) {
      metrics::Batch batch;
      batch.agent_id = "agent-" + std::to_string(agent);
      batch.hostname = "host-" + std::to_string(agent);
      batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
      batch.sequence = static_cast<uint64_t>(second) + 1;
      batch.appended_ns = time;
      batch.series = series;
      metrics::Frame frame{.time_ns = time, .rates_since_ns = time - kNanosPerSecond, .points = {}};
      for (size_t i = 0; i < kSeries; ++i) {
        metrics::Point point{.series = static_cast<metrics::SeriesId>(i)};
        point.integer = static_cast<int64_t>(random.below(10'000));
        frame.points.push_back(point);
      }
      batch.frames.push_back(std::move(frame));
      (*store)->apply({.partition = 0, .offset = ++offset, .time_ns = time}, batch);
    }
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = offset + 1};
    if (Status stored = (*store)->store("bench", std::span(&snapshot, 1)); !stored) return fail(stored.error());
  }
  return 0;
}

int run_rules(const std::string& path) {
  auto data = history::RecentSource::open(path);
  auto store = rules::SqliteStore::open({.path = rules::store_path(path)});
  if (!data || !store) return fail(data ? store.error() : data.error());
  const SystemClock clock;
  telemetry::Registry registry;
  rules::Engine engine({.interval_ms = kStepMs}, **data, **store, clock, registry);
  rules::RuleFile file = rules::parse_rule_file(kRules, "bench");
  if (!file.faults.empty()) return fail(Error(Code::kInvalidArgument, file.fault_text("bench")));
  if (Status replaced = engine.replace(std::move(file.groups)); !replaced) return fail(replaced.error());
  std::vector<double> times;
  for (int64_t step = 0; step < 4; ++step) {
    const int64_t now = kBeginMs + kSeconds * 1000 - 4 * kStepMs + step * kStepMs;
    const int64_t begin = cpu_ns();
    if (Status done = engine.advance({.watermark_ms = now, .now_ms = now}); !done) return fail(done.error());
    times.push_back(static_cast<double>(cpu_ns() - begin) / 1e6);
  }
  size_t alerts = 0;
  for (const auto& group : engine.groups()) {
    for (const auto& rule : group.rules) {
      if (!rule.error.empty()) return fail(Error(Code::kInternal, rule.name + ": " + rule.error));
      alerts += rule.alerts.size();
      std::fprintf(stderr, "%s: %.1f ms, %zu alerts\n", rule.name.c_str(), rule.evaluation_seconds * 1e3,
                   rule.alerts.size());
    }
  }
  std::printf("first_ms=%.3f\nms=%.3f\nalerts=%zu\n", times[0], *std::min_element(times.begin() + 1, times.end()),
              alerts);
  return 0;
}

int run(const Arguments& arguments) {
  const std::vector<std::string> words = arguments.rest();
  const std::string path = arguments.text("folder") + "/history.db";
  if (!words.empty() && words[0] == "make") return make(path, static_cast<size_t>(arguments.number("agents")));
  return run_rules(path);
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
