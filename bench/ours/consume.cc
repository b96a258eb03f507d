// Reads a topic as `monitor-analysis serve` does: one consumer feeds the history, the ledger and the time of the data,
// commits them in one transaction, and the rules are evaluated on a thread of their own as far as the data has come.
// Ends when the whole topic is stored and every evaluation up to there is made.
//
//   bench-consume kafka=HOST:PORT topic=NAME folder=DIR [rules=FILE]
//
// Prints messages=N, agents=N (with an account in the ledger) and rules=N.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/disk.h"
#include "consume/consumer.h"
#include "floor/arguments.h"
#include "metriclog/kafka/kafka_log.h"
#include "rules/runner.h"
#include "rules/sqlite_store.h"
#include "telemetry/registry.h"
#include "views/aggregate/data_time.h"
#include "views/history/recent_source.h"
#include "views/history/store.h"
#include "views/ledger/ledger.h"

namespace monitor::bench {
namespace {

namespace history = analysis::history;

// As serve does while there are rules.
constexpr int64_t kCommitEvery = 250 * kNanosPerMilli;
constexpr int64_t kRest = 10;
constexpr int64_t kPoll = 250 * kNanosPerMilli;

[[noreturn]] void fail(const Error& error) {
  std::fprintf(stderr, "%s\n", error.message().c_str());
  std::exit(74);  // NOLINT(concurrency-mt-unsafe): the other threads are unaffected
}

std::unique_ptr<rules::RuleRunner> start_rules(const Arguments& arguments, const std::string& path, const Clock& clock,
                                               Disk& disk, telemetry::Registry& registry) {
  rules::RunnerOptions options;
  options.store.path = rules::store_path(path);
  options.paths = {arguments.text("rules")};
  options.open_data = [path]() -> Result<std::unique_ptr<query::SeriesSource>> {
    auto opened = history::RecentSource::open(path);
    if (!opened) return opened.error();
    return std::unique_ptr<query::SeriesSource>(std::move(*opened));
  };
  auto runner = rules::RuleRunner::open(std::move(options), clock, disk, registry);
  if (!runner) fail(runner.error());
  (*runner)->start();
  return std::move(*runner);
}

rules::Progress progress_of(const analysis::DataTime::Reading& time) {
  rules::Progress progress;
  progress.watermark_ms = time.watermark_ns == INT64_MIN ? 0 : time.watermark_ns / kNanosPerMilli;
  progress.now_ms = time.now_ns / kNanosPerMilli;
  return progress;
}

// Waits until the next evaluation of every group is due after the data's time. Returns the number of rules.
uint64_t wait_for_rules(const rules::RuleRunner& runner, int64_t watermark_ms) {
  while (true) {
    bool done = true;
    uint64_t rules = 0;
    for (const auto& group : runner.groups()) {
      done = done && group.evaluated_at_ms + group.interval_ms > watermark_ms;
      rules += group.rules.size();
    }
    if (done && rules > 0) return rules;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

int run(const Arguments& arguments) {
  const SystemClock clock;
  PosixDisk disk;
  telemetry::Registry registry;
  const std::string path = arguments.text("folder") + "/history.db";
  auto store = history::HistoryStore::open({.path = path}, clock, registry);
  if (!store) fail(store.error());
  metriclog::ReaderOptions options{.snapshots = store->get(), .new_group_at_earliest = true};
  auto reader =
      metriclog::open_kafka_reader({.brokers = arguments.text("kafka"), .topic = arguments.text("topic")}, options);
  if (!reader) fail(reader.error());
  analysis::Ledger ledger;
  analysis::DataTime data_time;
  analysis::Consumer consumer(**reader, {store->get(), &ledger, &data_time}, registry);
  std::unique_ptr<rules::RuleRunner> runner;
  if (arguments.has("rules")) runner = start_rules(arguments, path, clock, disk, registry);

  int64_t committed_ns = clock.mono_ns();
  analysis::DataTime::Reading time;
  bool at_end = false;
  while (!at_end) {
    if (auto went_on = consumer.step(kPoll); !went_on) fail(went_on.error());
    at_end = consumer.partitions() > 0 && consumer.reached_end();
    const int64_t now = clock.mono_ns();
    if (!at_end && now - committed_ns < std::max(kCommitEvery, kRest * (*store)->last_commit_ns())) continue;
    if (auto stored = consumer.store(); !stored) fail(stored.error());
    time = data_time.read(now, clock.wall_ns(), at_end);
    if (runner) runner->take_progress(progress_of(time));
    committed_ns = clock.mono_ns();
  }
  uint64_t accounts = 0;
  for (const auto& [number, partition] : ledger.partitions()) accounts += partition.agents().size();
  std::printf("messages=%llu\nagents=%llu\n", static_cast<unsigned long long>(consumer.metrics().batches.value()),
              static_cast<unsigned long long>(accounts));
  if (runner) {
    std::printf("rules=%llu\n",
                static_cast<unsigned long long>(wait_for_rules(*runner, progress_of(time).watermark_ms)));
    runner->stop();
  }
  return 0;
}

}  // namespace
}  // namespace monitor::bench

int main(int argc, char** argv) { return monitor::bench::run(monitor::bench::Arguments(argc, argv)); }
