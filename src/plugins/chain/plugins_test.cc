// The effect of every built-in plugin on ticks, and the chain: order, drops, failures, state across a reload.
#include <gtest/gtest.h>

#include "base/testing/fake_clock.h"
#include "plugins/builtin/registry.h"
#include "plugins/chain/chain.h"

namespace monitor::agent {
namespace {

constexpr int64_t kS = kNanosPerSecond;

class FakeDrops final : public DropSink {
 public:
  void dropped(metrics::Drop drop) override {
    told.push_back(drop.stage + "/" + drop.reason + "/" + drop.plugin + " " + std::to_string(drop.ticks) + " " +
                   std::to_string(drop.points));
  }
  std::vector<std::string> told;
};

struct World {
  World() : chain(table, clock, drops, [this](metrics::Tick& tick) { out.push_back(tick); }) {}

  std::string configure(const std::vector<config::PluginEntry>& entries) {
    const auto problem = chain.configure(entries);
    return problem ? problem->path + ": " + problem->message : "";
  }
  // Sends a tick at a second of the schedule, with cpu and two disks.
  void tick(int64_t second, int64_t cpu, int64_t sda = 0, int64_t sdb = 0) {
    metrics::Tick tick;
    tick.time_ns = second * kS;
    tick.due_mono_ns = second * kS;
    const auto add = [&](metrics::Series series, int64_t value) {
      metrics::Point point;
      point.series = *table.intern(std::move(series));
      point.integer = value;
      tick.points.push_back(point);
    };
    add({"system.cpu.utilization", {}, "1", metrics::Kind::kGauge, true, -4}, cpu);
    add({"disk", {{"dev", "sda"}}, "By/s", metrics::Kind::kGauge, true, 0}, sda);
    add({"disk", {{"dev", "sdb"}}, "By/s", metrics::Kind::kGauge, true, 0}, sdb);
    chain.push(std::move(tick));
    chain.pump();
  }
  std::string names(size_t i) {
    std::string all;
    for (const auto& point : out.at(i).points) all += metrics::to_string(table.at(point.series)) + " ";
    return all;
  }

  metrics::SeriesTable table;
  FakeClock clock;
  FakeDrops drops;
  std::vector<metrics::Tick> out;
  Chain chain;
};

TEST(Deduplication, DropsUnchangedTicks) {
  World w;
  ASSERT_EQ(w.configure({{"deduplication", "{}"}}), "");
  w.tick(1, 10, 5, 5);
  w.tick(2, 10, 5, 5);
  w.tick(3, 10, 5, 6);
  EXPECT_EQ(w.out.size(), 2U);
  EXPECT_EQ(w.drops.told, (std::vector<std::string>{"plugin/unchanged/deduplication 1 3"}));
}

TEST(Deduplication, ComparesWithTheLastTickThatPassed) {
  World w;
  ASSERT_EQ(w.configure({{"deduplication", R"({"tolerance":2})"}}), "");
  w.tick(1, 0, 100);
  w.tick(2, 0, 102);  // within 2 of 100
  w.tick(3, 0, 103);  // 3 from 100, so a slow drift passes in the end
  EXPECT_EQ(w.out.size(), 2U);
}

TEST(Deduplication, LimitsSilence) {
  World w;
  ASSERT_EQ(w.configure({{"deduplication", R"({"max_silence":"3s"})"}}), "");
  for (int i = 1; i <= 7; ++i) w.tick(i, 10);
  EXPECT_EQ(w.out.size(), 3U) << "ticks at 1, 4 and 7 s";
}

TEST(Deduplication, DropsUnchangedPointsBySeries) {
  World w;
  ASSERT_EQ(w.configure({{"deduplication", R"({"scope":"series"})"}}), "");
  w.tick(1, 10, 5, 5);
  w.tick(2, 10, 6, 5);
  w.tick(3, 10, 6, 5);
  ASSERT_EQ(w.out.size(), 2U);
  EXPECT_EQ(w.names(1), "disk{dev=sda} ");
  EXPECT_EQ(w.drops.told.back(), "plugin/unchanged/deduplication 1 3");
}

TEST(Deduplication, KeepsItsStateWhenOtherPluginsChange) {
  World w;
  ASSERT_EQ(w.configure({{"deduplication", "{}"}}), "");
  w.tick(1, 10);
  ASSERT_EQ(w.configure({{"my_plugin", "{}"}, {"deduplication", "{}"}}), "");
  ASSERT_EQ(w.configure({{"deduplication", "{}"}}), "");
  w.tick(2, 10);
  EXPECT_EQ(w.out.size(), 1U);
  ASSERT_EQ(w.configure({{"deduplication", R"({"tolerance":1})"}}), "");
  w.tick(3, 10, 1);
  EXPECT_EQ(w.out.size(), 1U) << "with another configuration it must remember what has passed";
  w.tick(4, 10, 2);
  EXPECT_EQ(w.out.size(), 2U);
}

TEST(Filter, KeepAndDropByNameAndLabel) {
  World w;
  ASSERT_EQ(w.configure({{"filter", R"({"keep":["disk", "nothing*"], "drop":{"labels":{"dev":"*b"}}})"}}), "");
  w.tick(1, 10);
  EXPECT_EQ(w.names(0), "disk{dev=sda} ");
  EXPECT_EQ(w.drops.told, (std::vector<std::string>{"plugin/filtered/filter 0 2"}));
}

TEST(Filter, RejectsAnEmptyPattern) {
  for (const char* const pattern : {R"("")", R"([""])", R"({})", R"({"name":"","labels":{"dev":"sda"}})"}) {
    World w;
    const std::string said = w.configure({{"filter", std::string(R"({"drop":)") + pattern + "}"}});
    EXPECT_NE(said.find("a pattern must not be empty"), std::string::npos) << pattern << ": " << said;
  }
  World w;
  EXPECT_EQ(w.configure({{"filter", R"({"drop":{"labels":{"dev":"*b"}}})"}}), "") << "a pattern may have only labels";
}

TEST(Rename, RenamesMetricsAndLabels) {
  World w;
  ASSERT_EQ(w.configure({{"rename", R"({"names":{"system.cpu.utilization":"cpu"},"labels":{"dev":"device"}})"}}), "");
  w.tick(1, 1234);
  EXPECT_EQ(w.names(0), "cpu disk{device=sda} disk{device=sdb} ");
  EXPECT_DOUBLE_EQ(w.table.value(w.out[0].points[0]), 0.1234);
}

TEST(Scale, AppliesFactorOffsetAndUnit) {
  World w;
  ASSERT_EQ(w.configure({{"scale", R"({"match":"*.utilization","factor":100,"offset":1,"unit":"%"})"}}), "");
  w.tick(1, 1234, 7);
  EXPECT_DOUBLE_EQ(w.table.value(w.out[0].points[0]), 13.34);
  EXPECT_EQ(w.table.at(w.out[0].points[0].series).unit, "%");
  EXPECT_DOUBLE_EQ(w.table.value(w.out[0].points[1]), 7);
}

TEST(RateLimit, PassesTheGivenNumberOfTicksPerPeriod) {
  World w;
  ASSERT_EQ(w.configure({{"rate_limit", R"({"ticks":2,"per":"5s"})"}}), "");
  for (int i = 0; i < 10; ++i) w.tick(i, 1);
  EXPECT_EQ(w.out.size(), 4U);
  EXPECT_EQ(w.drops.told.front(), "plugin/rate_limited/rate_limit 1 3");
}

TEST(MyPlugin, AddsALabel) {
  World w;
  ASSERT_EQ(w.configure({{"my_plugin", R"({"label":"site","value":"eu"})"}}), "");
  w.tick(1, 1);
  EXPECT_EQ(w.names(0), "system.cpu.utilization{site=eu} disk{dev=sda,site=eu} disk{dev=sdb,site=eu} ");
}

TEST(Derive, CountsReplacedPoints) {
  World w;
  ASSERT_EQ(w.configure({{"derive", R"({"match":"disk","what":"moving_average","keep":false})"}}), "");
  w.tick(1, 10, 5, 5);
  EXPECT_EQ(w.out.at(0).points.size(), 3U);
  EXPECT_EQ(w.drops.told, std::vector<std::string>{"plugin/filtered/derive 0 2"});
  EXPECT_EQ(w.chain.points_added(), 2U);
  EXPECT_EQ(w.chain.points_inside(), 0U);
}

TEST(Chain, KeepsTheOrderOfPlugins) {
  World w;
  ASSERT_EQ(w.configure({{"rename", R"({"names":{"disk":"d"}})"}, {"filter", R"({"keep":"d"})"}}), "");
  w.tick(1, 1);
  EXPECT_EQ(w.out.size(), 1U);
  ASSERT_EQ(w.configure({{"filter", R"({"keep":"d"})"}, {"rename", R"({"names":{"disk":"d"}})"}}), "");
  w.tick(2, 1);
  EXPECT_EQ(w.out.size(), 1U);
}

TEST(Chain, InvalidConfigurationChangesNothing) {
  World w;
  ASSERT_EQ(w.configure({{"filter", R"({"drop":"disk"})"}}), "");
  EXPECT_EQ(w.configure({{"my_plugin", "{}"}, {"filter", R"({"drop":5})"}}).substr(0, 24), "/plugins/1/config/drop: ");
  EXPECT_EQ(w.configure({{"scale", R"({"match":"*","faktor":2})"}}),
            "/plugins/0/config/faktor: unknown option (known: match, factor, offset, unit)");
  EXPECT_EQ(w.configure({{"rate_limit", R"({"ticks":0})"}}),
            "/plugins/0/config/ticks: must be a number from 1 to 1e+06");
  EXPECT_EQ(w.configure({{"deduplication", R"({"scope":"tik"})"}}),
            "/plugins/0/config/scope: must be one of tick, series");
  EXPECT_EQ(w.configure({{"nothing", "{}"}}), "/plugins/0/config: unknown plugin nothing");
  w.tick(1, 1);
  EXPECT_EQ(w.names(0), "system.cpu.utilization ");
}

TEST(Chain, CountsTicksDroppedByAFullQueue) {
  World w;
  for (size_t i = 0; i < Chain::kQueueTicks + 3; ++i) {
    metrics::Tick tick;
    tick.points.resize(2);
    w.chain.push(std::move(tick));
  }
  EXPECT_EQ(w.drops.told, (std::vector<std::string>(3, "queue/overflow/ 1 2")));
}

TEST(Registry, EveryPluginRejectsUnknownOptions) {
  const BuiltinCatalog catalog;
  for (const std::string& name : catalog.plugin_names()) {
    const auto problem = catalog.check_plugin(name, R"({"no_such_option":1})");
    ASSERT_TRUE(problem) << name;
  }
}

}  // namespace
}  // namespace monitor::agent
