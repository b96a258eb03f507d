#include "ui/web/restore_fleet.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/testing/fake_clock.h"

namespace monitor::analysis::web {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kBegin = int64_t{1'700'000'000} * kSecond;

metrics::Batch batch(uint64_t sequence, int64_t time_ns, double cpu) {
  metrics::Batch made;
  made.agent_id = "a";
  made.hostname = "h";
  made.incarnation = std::string(16, 'i');
  made.sequence = sequence;
  made.appended_ns = time_ns;
  made.series = {{.name = "system.cpu.utilization", .labels = {}, .unit = "1"},
                 {.name = "system.cpu.utilization", .labels = {{"cpu.logical_number", "0"}}, .unit = "1"}};
  metrics::Point host{.series = 0};
  host.real = cpu;
  metrics::Point core{.series = 1};
  core.real = 0.99;
  made.frames = {{.time_ns = time_ns, .rates_since_ns = 0, .points = {core, host}}};
  return made;
}

class RestoreFleet : public ::testing::Test {
 protected:
  RestoreFleet() : folder_(std::filesystem::path(testing::TempDir()) / ("restore-fleet-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~RestoreFleet() override { std::filesystem::remove_all(folder_); }

  const std::filesystem::path folder_;
};

TEST_F(RestoreFleet, RestoresRecentFiguresFromTheHistory) {
  const std::string path = folder_ / "history.db";
  FakeClock clock(kBegin);
  telemetry::Registry registry;
  auto store = history::HistoryStore::open({.path = path}, clock, registry);
  ASSERT_TRUE(store) << store.error().message();
  for (int i = 0; i < 100; ++i) {
    const int64_t time_ns = kBegin + i * kSecond;
    (*store)->apply({.partition = 0, .offset = i, .time_ns = time_ns},
                    batch(static_cast<uint64_t>(i) + 1, time_ns, i / 100.0));
  }
  ASSERT_TRUE((*store)->store("log", {}));
  const auto known = (*store)->known_agents();
  ASSERT_TRUE(known);

  Fleet fleet;
  clock.advance(100 * kSecond);
  restore_fleet(*known, path, clock, fleet);
  ASSERT_NE(fleet.find("a"), nullptr);
  EXPECT_EQ(fleet.find("a")->host, "h");
  const auto& cpu = fleet.find("a")->past.steps(0);
  EXPECT_EQ(std::count_if(cpu.begin(), cpu.end(), [](float v) { return std::isfinite(v); }), 19)
      << "steps of 5 s, from the middle of the first bucket to that of the last";
  EXPECT_NEAR(cpu.back(), 0.945, 0.001);
  const auto& memory = fleet.find("a")->past.steps(1);
  EXPECT_TRUE(std::all_of(memory.begin(), memory.end(), [](float v) { return std::isnan(v); }));

  Fleet later;
  clock.advance(3900 * kSecond);
  restore_fleet(*known, path, clock, later);
  ASSERT_NE(later.find("a"), nullptr) << "the agent is known, but gone";
  EXPECT_TRUE(later.find("a")->past.steps(0).empty());
}

TEST_F(RestoreFleet, IsEmptyWithoutAHistory) {
  const FakeClock clock(kBegin);
  Fleet fleet;
  restore_fleet({{.name = "a", .host = "h", .version = "1", .seen_ns = kBegin}}, folder_ / "none.db", clock, fleet);
  EXPECT_NE(fleet.find("a"), nullptr);
}

}  // namespace
}  // namespace monitor::analysis::web
