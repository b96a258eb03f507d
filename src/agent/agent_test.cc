// The agent's loop with a clock under the test's control: schedule, batches, heartbeats, configuration.
#include "agent/agent.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/testing/fake_clock.h"
#include "metrics/decode.h"
#include "spool/memory_spool.h"

namespace monitor::agent {
namespace {

constexpr int64_t kMs = kNanosPerMilli;
constexpr int64_t kS = kNanosPerSecond;

metrics::Series bytes(std::string name, metrics::Labels labels = {}) {
  return {std::move(name), std::move(labels), "By", metrics::Kind::kGauge, true, 0};
}

// One series, whose value is the number of the read. A read can be made to take time.
class FakeSource final : public TickSource {
 public:
  FakeSource(metrics::SeriesTable& table, FakeClock& clock) : table_(table), clock_(clock) {}
  void configure(uint64_t schedule, const std::vector<config::MetricSelection>& selections) override {
    selections_[schedule] = selections.size();
  }
  void baseline(const Timestamp&) override { ++baselines; }
  uint64_t open(uint64_t schedule, const Timestamp& now, metrics::Tick& tick) override {
    if (opens) return collect(schedule, now, tick);
    baseline(now);
    return 0;
  }
  uint64_t collect(uint64_t schedule, const Timestamp&, metrics::Tick& tick) override {
    clock_.advance(std::exchange(take_ns, 0));
    TickBuilder out(table_, tick);
    for (size_t i = 0; i < selections_[schedule]; ++i) {
      out.add_integer(out.intern(bytes("fake." + std::to_string(i))), ++reads);
    }
    for (size_t i = 0; i < of_parts; ++i) {
      const metrics::Labels labels = {{"part", std::to_string(generation) + "." + std::to_string(i)}};
      out.add_integer(out.intern(bytes("fake.part", labels)), ++reads);
    }
    if (unfit) out.add_integer(out.intern(bytes(std::string(300, 'n'))), ++reads);
    return out.over_cardinality();
  }
  int64_t take_ns = 0;
  size_t of_parts = 0;  // number of additional series
  int generation = 0;   // part of their names
  bool unfit = false;   // adds a series that no server accepts
  bool opens = false;   // has values that need no second reading
  int64_t reads = 0;
  int baselines = 0;

 private:
  metrics::SeriesTable& table_;
  FakeClock& clock_;
  std::map<uint64_t, size_t> selections_;
};

struct World {
  World()
      : source(table, timers.fake_clock()),
        agent(timers, {"a", "h", std::string(16, 'i'), "1.0.0"}, table, source),
        spool(agent.reports(), timers.clock()) {
    agent.attach(spool, [this] { ++told; });
  }

  static config::Settings settings(int64_t interval_ns, int64_t send_every_ns = kS) {
    config::Settings s;
    s.interval_ns = interval_ns;
    s.send_every_ns = send_every_ns;
    s.metrics = {{"cpu"}};
    return s;
  }

  // All waiting batches, oldest first; acknowledges them.
  std::vector<metrics::Batch> take() {
    std::vector<metrics::Batch> batches;
    while (const auto outgoing = spool.next()) {
      auto batch = metrics::decode_batch(outgoing->bytes);
      EXPECT_TRUE(batch) << batch.error().to_string();
      batches.push_back(std::move(*batch));
      spool.acknowledged(outgoing->id);
    }
    return batches;
  }

  FakeTimers timers;
  metrics::SeriesTable table;
  FakeSource source;
  Agent agent;
  MemorySpool spool;
  int told = 0;
};

TEST(Agent, TicksAfterAtMostASecondAndThenEveryInterval) {
  World w;
  const int64_t start = w.timers.clock().wall_ns();
  ASSERT_FALSE(w.agent.apply(World::settings(5 * kS), 1));
  EXPECT_EQ(w.source.baselines, 1);
  w.timers.advance(999 * kMs);
  EXPECT_TRUE(w.take().empty());
  w.timers.advance(15 * kS + 1 * kMs);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 4U);
  for (size_t i = 0; i < batches.size(); ++i) {
    ASSERT_EQ(batches[i].frames.size(), 1U);
    EXPECT_EQ(batches[i].frames[0].time_ns - start, kS + static_cast<int64_t>(i) * 5 * kS) << i;
    EXPECT_EQ(batches[i].sequence, i + 1);
    EXPECT_EQ(batches[i].config_revision, 1U);
  }
  EXPECT_EQ(batches[0].frames[0].rates_since_ns, start);
  EXPECT_EQ(batches[1].frames[0].rates_since_ns, batches[0].frames[0].time_ns);
}

TEST(Agent, SendsWhatNeedsNoSecondReadingAtOnce) {
  World w;
  w.source.opens = true;
  const int64_t start = w.timers.clock().wall_ns();
  auto settings = World::settings(100 * kMs);
  settings.metrics = {{"cpu"}, {.name = "load", .interval_ns = 60 * kS}};
  ASSERT_FALSE(w.agent.apply(settings, 1));
  EXPECT_EQ(w.told, 1) << "no timer and no second tick";
  const auto first = w.take();
  ASSERT_EQ(first.size(), 1U);
  ASSERT_EQ(first[0].frames.size(), 2U) << "one tick of each interval";
  for (const auto& frame : first[0].frames) {
    EXPECT_EQ(frame.time_ns, start);
    EXPECT_EQ(frame.rates_since_ns, 0) << "no rates";
  }
  EXPECT_EQ(first[0].counters.ticks_due, 2U);
  EXPECT_EQ(first[0].counters.points_made, 2U);
  w.timers.advance(kS);
  const auto next = w.take();
  ASSERT_EQ(next.size(), 1U) << "later ticks are where they would have been";
  EXPECT_EQ(next[0].frames.size(), 11U);
  EXPECT_EQ(next[0].frames[0].time_ns, start + 100 * kMs);
  EXPECT_EQ(next[0].frames[0].rates_since_ns, start);
  EXPECT_EQ(next[0].counters.ticks_due, 13U);
  EXPECT_EQ(w.source.baselines, 0) << "the first reading is the baseline";
}

TEST(Agent, ALaterConfigurationSendsNothingAtOnce) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(60 * kS), 1));
  w.timers.advance(2 * kS);
  (void)w.take();
  w.source.opens = true;
  auto settings = World::settings(60 * kS);
  settings.metrics.push_back({"load"});
  ASSERT_FALSE(w.agent.apply(settings, 2));
  EXPECT_TRUE(w.take().empty());
}

TEST(Agent, PutsTenTicksInABatchAt100Milliseconds) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(100 * kMs), 1));
  w.timers.advance(3 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 3U);
  for (const auto& batch : batches) EXPECT_EQ(batch.frames.size(), 10U);
  EXPECT_EQ(w.told, 3);
}

TEST(Agent, MetricsOfDifferentIntervalsHaveSeparateFrames) {
  World w;
  config::Settings s = World::settings(kS, 0);
  s.metrics = {{"cpu"}, {.name = "load", .interval_ns = 250 * kMs}};
  ASSERT_FALSE(w.agent.apply(s, 1));
  w.timers.advance(2 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 10U) << "8 batches of one interval and 2 of the other";
  int64_t last = 0;
  for (const auto& batch : batches) {
    ASSERT_EQ(batch.frames.size(), 1U);
    EXPECT_GE(batch.frames[0].time_ns, last);
    last = batch.frames[0].time_ns;
  }
  EXPECT_EQ(w.agent.stats().ticks_due, 10U);
  EXPECT_EQ(w.agent.stats().ticks_missed, 0U);
}

TEST(Agent, SendEveryZeroClosesABatchPerTick) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(100 * kMs, 0), 1));
  w.timers.advance(1 * kS);
  EXPECT_EQ(w.take().size(), 10U);
}

TEST(Agent, CountsMissedTicksAndKeepsTheSchedule) {
  World w;
  const int64_t start = w.timers.clock().wall_ns();
  ASSERT_FALSE(w.agent.apply(World::settings(kS), 1));
  w.timers.advance(kS);
  w.source.take_ns = 2'500 * kMs;  // the tick due at 2 s takes until 4.5 s
  w.timers.advance(kS);
  w.timers.advance(3 * kS);
  EXPECT_EQ(w.agent.stats().ticks_missed, 1U) << "the tick of 3 s had not started when the tick of 4 s became due";
  const auto batches = w.take();
  std::vector<int64_t> times;
  for (const auto& batch : batches) {
    for (const auto& frame : batch.frames) times.push_back((frame.time_ns - start) / kMs);
  }
  EXPECT_EQ(times, (std::vector<int64_t>{1000, 2000, 4500, 5000, 6000, 7000}))
      << "one late tick at once, then on schedule again";
  EXPECT_EQ(batches.back().counters.ticks_due, 7U);
  EXPECT_EQ(batches.back().counters.ticks_missed, 1U);
}

TEST(Agent, SendsHeartbeatsWithoutTicks) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(3600 * kS), 1));
  w.timers.advance(35 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 4U) << "the first tick, then a heartbeat every 10 s";
  EXPECT_TRUE(batches[1].frames.empty());
  EXPECT_EQ(batches[3].counters.ticks_due, 1U);
  EXPECT_EQ(w.agent.stats().heartbeats, 3U);
}

TEST(Agent, SendsHeartbeatsWhileEverythingIsFiltered) {
  World w;
  auto settings = World::settings(kS);
  settings.plugins = {{"filter", R"({"drop":"*"})"}};
  ASSERT_FALSE(w.agent.apply(settings, 1));
  w.timers.advance(10 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_TRUE(batches[0].frames.empty());
  ASSERT_EQ(batches[0].drops.size(), 1U);
  EXPECT_EQ(batches[0].drops[0].plugin, "filter");
  EXPECT_EQ(batches[0].counters.points_made, batches[0].drops[0].points)
      << "an agent that drops everything is still alive";
}

TEST(Agent, ShorterIntervalAppliesAtOnce) {
  World w;
  const int64_t start = w.timers.clock().wall_ns();
  ASSERT_FALSE(w.agent.apply(World::settings(60 * kS), 1));
  w.timers.advance(10 * kS);
  (void)w.take();
  ASSERT_FALSE(w.agent.apply(World::settings(2 * kS), 2));
  w.timers.advance(0);
  w.timers.advance(4 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 3U);
  EXPECT_EQ(batches[0].frames[0].time_ns - start, 10 * kS) << "1 s + 2 s has passed, so the tick is due now";
  EXPECT_EQ(batches[1].frames[0].time_ns - start, 12 * kS);
  EXPECT_EQ(batches[0].config_revision, 2U);
}

TEST(Agent, LongerIntervalKeepsTheTickThatWasDue) {
  World w;
  const int64_t start = w.timers.clock().wall_ns();
  ASSERT_FALSE(w.agent.apply(World::settings(5 * kS), 1));
  w.timers.advance(2 * kS);
  (void)w.take();
  ASSERT_FALSE(w.agent.apply(World::settings(60 * kS), 2));
  w.timers.advance(4 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].frames[0].time_ns - start, 6 * kS);
}

TEST(Agent, ChangingMetricsAffectsNoTick) {
  World w;
  const int64_t start = w.timers.clock().wall_ns();
  ASSERT_FALSE(w.agent.apply(World::settings(kS), 1));
  for (int i = 0; i < 10; ++i) {
    w.timers.advance(700 * kMs);
    auto settings = World::settings(kS);
    settings.metrics.resize(1 + static_cast<size_t>(i % 2), {"memory"});
    ASSERT_FALSE(w.agent.apply(settings, 2 + i));
  }
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 7U);
  for (size_t i = 0; i < batches.size(); ++i) {
    EXPECT_EQ(batches[i].frames[0].time_ns - start, static_cast<int64_t>(i + 1) * kS);
  }
  EXPECT_EQ(w.agent.stats().ticks_missed, 0U);
}

TEST(Agent, FailingPluginKeepsTheOldSettings) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(kS), 1));
  auto bad = World::settings(2 * kS);
  bad.plugins = {{"deduplication", "{}"}, {"filter", "{}"}};
  const auto problem = w.agent.apply(bad, 2);
  ASSERT_TRUE(problem);
  EXPECT_EQ(problem->path, "/plugins/1/config/keep");
  w.timers.advance(3 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 3U) << "the interval must still be one second";
  EXPECT_EQ(batches[0].config_revision, 1U);
}

TEST(Agent, ChangeOrStopClosesTheOpenBatch) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(100 * kMs), 1));
  w.timers.advance(350 * kMs);
  ASSERT_FALSE(w.agent.apply(World::settings(200 * kMs), 2));
  auto batches = w.take();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_EQ(batches[0].frames.size(), 3U);
  EXPECT_EQ(batches[0].config_revision, 1U) << "collected under the old revision";
  w.timers.advance(300 * kMs);
  w.agent.stop();
  batches = w.take();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_TRUE(batches[0].final_batch);
  w.timers.advance(30 * kS);
  EXPECT_TRUE(w.take().empty()) << "stopped";
}

TEST(Agent, StopSendsAFinalHeartbeatWithoutAnOpenBatch) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(kS), 1));
  w.timers.advance(2 * kS);
  for (const auto& batch : w.take()) EXPECT_FALSE(batch.final_batch);
  w.agent.stop();
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 1U);
  EXPECT_TRUE(batches[0].final_batch);
  EXPECT_TRUE(batches[0].frames.empty());
}

TEST(Agent, StopSendsNothingIfThereWasNoBatch) {
  World w;
  w.agent.stop();
  EXPECT_TRUE(w.take().empty());
}

TEST(Agent, BatchesCarryDropRecordsUntilOneIsAcknowledged) {
  World w;
  auto settings = World::settings(kS);
  settings.metrics = {{"cpu"}, {"memory"}};
  settings.plugins = {{"filter", R"({"drop":"fake.0"})"}};
  ASSERT_FALSE(w.agent.apply(settings, 1));
  w.timers.advance(2 * kS);
  const auto first = w.spool.next();
  const auto second = w.spool.next();
  ASSERT_TRUE(first && second);
  const uint64_t second_id = second->id;
  const auto batch = metrics::decode_batch(second->bytes);
  ASSERT_TRUE(batch);
  uint64_t told = 0;
  for (const auto& drop : batch->drops) told += drop.points;
  EXPECT_EQ(told, 2U);
  w.spool.acknowledged(second_id);
  EXPECT_TRUE(w.agent.reports().drops().empty()) << "the second batch carried the records of the first as well";
}

TEST(Agent, ReportsBatchesInThePreviousLogUntilAcknowledged) {
  World w;
  ASSERT_FALSE(w.agent.apply(World::settings(kS), 1));
  const auto send = [&w](std::string_view log) {
    w.timers.advance(kS);
    const auto sent = w.spool.next();
    const auto batch = metrics::decode_batch(sent.value().bytes);
    w.spool.log_named(log);
    w.spool.acknowledged(sent->id);
    return batch.value().elsewhere;
  };
  EXPECT_TRUE(send("sqlite:a").empty());
  EXPECT_TRUE(send("sqlite:a").empty());
  EXPECT_TRUE(send("kafka:b").empty()) << "the log is unknown before its acknowledgement";
  const auto told = send("kafka:b");
  ASSERT_EQ(told.size(), 1U);
  EXPECT_EQ(told[0].log, "sqlite:a");
  EXPECT_EQ(told[0].first_sequence, 1U);
  EXPECT_EQ(told[0].last_sequence, 2U);
  EXPECT_TRUE(send("kafka:b").empty()) << "acknowledged";
  EXPECT_EQ(w.agent.reports().pending_reports().log, "kafka:b") << "the next run must know the log";
  EXPECT_EQ(w.agent.reports().pending_reports().elsewhere.size(), 1U);
}

TEST(Agent, RepeatsReportsOfAnEarlierRunUntilAcknowledged) {
  World w;
  PendingReports left;
  left.ended.push_back({std::string(16, 'e'), 7, 3 * kS, false});
  left.drops.push_back({"spool", "damaged", 2, 2, 20, "", std::string(16, 'e'), 4, 5, kS, 2 * kS});
  w.agent.reports().on_recovered(left, {});
  ASSERT_FALSE(w.agent.apply(World::settings(kS), 1));
  w.timers.advance(2 * kS);
  for (int i = 0; i < 2; ++i) {
    const auto sent = w.spool.next();
    ASSERT_TRUE(sent);
    const auto batch = metrics::decode_batch(sent->bytes);
    ASSERT_TRUE(batch);
    ASSERT_EQ(batch->ended.size(), 1U);
    EXPECT_EQ(batch->ended[0].last_sequence, 7U);
    EXPECT_FALSE(batch->ended[0].clean);
    ASSERT_EQ(batch->drops.size(), 1U);
    EXPECT_EQ(batch->drops[0].last_sequence, 5U);
    EXPECT_TRUE(batch->counters.dropped.empty()) << "the earlier run has counted them";
    EXPECT_EQ(w.agent.reports().pending_reports().ended.size(), 1U);
    if (i == 1) w.spool.acknowledged(sent->id);
  }
  EXPECT_TRUE(w.agent.reports().pending_reports().ended.empty());
  EXPECT_TRUE(w.agent.reports().pending_reports().drops.empty());
  w.timers.advance(kS);
  EXPECT_TRUE(metrics::decode_batch(w.spool.next()->bytes)->ended.empty());
}

TEST(Agent, SpreadsATickOverBatchesAndCountsItOnce) {
  World w;
  w.source.of_parts = 9'000;
  ASSERT_FALSE(w.agent.apply(World::settings(kS, 0), 1));
  w.timers.advance(2 * kS);
  std::map<int64_t, size_t> points;
  uint64_t in_batches = 0;
  size_t ticks = 0;
  const auto batches = w.take();
  EXPECT_GT(batches.size(), 4U);
  for (const auto& batch : batches) {
    for (const auto& frame : batch.frames) {
      points[frame.time_ns] += frame.points.size();
      in_batches += frame.points.size();
      ticks += frame.continued ? 0 : 1;
    }
    EXPECT_EQ(batch.counters.points_made, in_batches) << "points of later batches must not be counted yet";
  }
  ASSERT_EQ(points.size(), 2U);
  for (const auto& [time, count] : points) EXPECT_EQ(count, 9'001U);
  EXPECT_EQ(ticks, 2U);
  EXPECT_TRUE(w.agent.reports().drops().totals().empty());
}

TEST(Agent, DropsAnInvalidSeriesAndKeepsTheTick) {
  World w;
  w.source.unfit = true;
  ASSERT_FALSE(w.agent.apply(World::settings(kS, 0), 1));
  w.timers.advance(3 * kS);
  const auto batches = w.take();
  ASSERT_EQ(batches.size(), 3U);
  for (const auto& batch : batches) EXPECT_EQ(batch.frames.at(0).points.size(), 1U);
  ASSERT_EQ(w.agent.reports().drops().totals().size(), 1U);
  const auto total = w.agent.reports().drops().totals().front();
  EXPECT_EQ(total.reason, "invalid");
  EXPECT_EQ(total.points, 3U);
  EXPECT_EQ(total.ticks, 0U);
}

TEST(Agent, EvictsSeriesThatAreGone) {
  World w;
  auto settings = World::settings(kS, 0);
  settings.plugins = {{"rename", R"({"names":{"fake.part":"renamed"}})"},
                      {"derive", R"({"match":"renamed*","what":"delta"})"},
                      {"deduplication", R"({"scope":"series"})"}};
  ASSERT_FALSE(w.agent.apply(settings, 1));
  w.source.of_parts = 600;
  for (w.source.generation = 1; w.source.generation <= 60; ++w.source.generation) {
    w.timers.advance(2 * kS);
    size_t parts = 0;
    size_t deltas = 0;
    const std::string prefix = std::to_string(w.source.generation) + ".";
    for (const auto& batch : w.take()) {
      for (const auto& frame : batch.frames) {
        for (const auto& point : frame.points) {
          const auto& series = batch.series[point.series];
          if (series.name == "fake.0") continue;
          EXPECT_TRUE(metrics::label_value(series.labels, "part").starts_with(prefix)) << metrics::to_string(series);
          if (series.name == "renamed") ++parts;
          if (series.name == "renamed.delta") {
            ++deltas;
            EXPECT_EQ(batch.value(point), 601)
                << "the number belongs to another series: 600 and one more were read in between";
          }
        }
      }
    }
    ASSERT_EQ(parts, 1'200U) << w.source.generation;
    ASSERT_EQ(deltas, 600U) << w.source.generation;
  }
  EXPECT_GT(w.table.released(), 20'000U);
  EXPECT_LE(w.table.bound(), w.table.limit());
  EXPECT_TRUE(w.agent.reports().drops().totals().empty());
  EXPECT_FALSE(w.agent.series_full());
}

TEST(Agent, ReportsAFullSeriesTableUntilThereIsRoom) {
  World w;
  int changes = 0;
  w.agent.set_on_plugin_change([&] { ++changes; });
  w.source.of_parts = 20'009;  // one more than the limit
  ASSERT_FALSE(w.agent.apply(World::settings(kS, 0), 1));
  const int before = changes;
  w.timers.advance(2 * kS);
  EXPECT_TRUE(w.agent.series_full());
  EXPECT_EQ(changes, before + 1);
  ASSERT_EQ(w.agent.reports().drops().totals().size(), 1U);
  EXPECT_EQ(w.agent.reports().drops().totals().front().reason, "cardinality");
  EXPECT_EQ(w.agent.reports().drops().totals().front().points, 20U) << "10 points of each tick";
  w.source.generation = 1;
  w.source.of_parts = 10;
  w.timers.advance(6 * kS);
  EXPECT_FALSE(w.agent.series_full());
  EXPECT_EQ(changes, before + 2);
  const auto batches = w.take();
  // Of many waiting batches, the newest are sent first.
  const auto last = std::ranges::max_element(batches, {}, [](const auto& batch) { return batch.sequence; });
  EXPECT_EQ(last->frames.back().points.size(), 11U);
}

TEST(Agent, LedgerAddsUp) {
  World w;
  auto settings = World::settings(100 * kMs);
  settings.metrics = {{"cpu"}, {"memory"}, {"load"}};
  settings.plugins = {{"filter", R"({"drop":"fake.1"})"}, {"rate_limit", R"({"ticks":3,"per":1})"}};
  ASSERT_FALSE(w.agent.apply(settings, 1));
  w.timers.advance(10 * kS);
  w.agent.stop();
  uint64_t in_batches = 0;
  metrics::Counters last;
  for (const auto& batch : w.take()) {
    for (const auto& frame : batch.frames) in_batches += frame.points.size();
    last = batch.counters;
  }
  // The last batch was closed before later drops, so the agent's totals are used.
  uint64_t dropped = 0;
  for (const auto& total : w.agent.reports().drops().totals()) dropped += total.points;
  EXPECT_EQ(w.agent.stats().points_made, in_batches + dropped);
  EXPECT_EQ(w.agent.stats().ticks_due, 100U);
}

}  // namespace
}  // namespace monitor::agent
