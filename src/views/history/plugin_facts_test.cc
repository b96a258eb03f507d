// What agents report about their plugins, over time.
#include "views/history/plugin_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "views/history/agent_facts.h"

namespace monitor::analysis::history {
namespace {

using query::Point;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kStart = 1'700'000'000;

class PluginFactsTest : public ::testing::Test {
 protected:
  PluginFactsTest() : folder_(std::filesystem::path(testing::TempDir()) / ("plugins-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    writer_ = *AgentFactsWriter::open(path());
  }
  ~PluginFactsTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return facts_path(folder_ / "history.db"); }
  void add(int64_t second, const std::vector<PluginFacts>& facts) {
    const auto added = writer_->add_plugins((kStart + second) * kNanosPerSecond, facts);
    ASSERT_TRUE(added) << added.error().message();
  }
  std::vector<query::StoredSeries> series(std::string_view function, const std::string& agents = ".*") {
    auto reader = AgentFactsReader::open(path());
    EXPECT_TRUE(reader);
    const std::vector<query::Matcher> matchers = {
        *query::Matcher::create(query::Matcher::Kind::kRegex, "agent", agents)};
    auto found = (*reader)->series(function, matchers, kStart * 1000, (kStart + 1000) * 1000);
    EXPECT_TRUE(found);
    return *found;
  }
  // Times since the start, in seconds.
  static std::vector<Point> points(const query::StoredSeries& one) {
    std::vector<Point> all;
    for (const Point& point : one.points) all.push_back({point.time_ms / 1000 - kStart, point.value});
    return all;
  }

  const std::filesystem::path folder_;
  std::unique_ptr<AgentFactsWriter> writer_;
};

PluginFacts facts_of(const char* agent, const char* plugin) {
  return {.agent = agent, .host = "h", .plugin = plugin, .p50_us = 3, .p99_us = 12};
}

TEST_F(PluginFactsTest, WritesEveryMinuteAndWhenAPluginFails) {
  PluginFacts tag = facts_of("web", "tag");
  PluginFacts other = facts_of("web", "other");
  for (int64_t second = 0; second <= 70; second += 10) {
    tag.dropped_points = static_cast<uint64_t>(second);
    if (second == 30) tag.failures = 1;
    add(second, {tag, other});
  }
  const auto dropped = series("plugin_dropped_points");
  ASSERT_EQ(dropped.size(), 2U);
  EXPECT_EQ(dropped[0].labels.get("plugin"), "tag");
  EXPECT_EQ(dropped[0].labels.get("agent"), "web");
  EXPECT_EQ(dropped[0].labels.get("host"), "h");
  EXPECT_THAT(points(dropped[0]), ElementsAre(Point{0, 0}, Point{30, 30}, Point{60, 60}));
  EXPECT_THAT(points(dropped[1]), ElementsAre(Point{0, 0}, Point{60, 0}));
  EXPECT_THAT(points(series("plugin_failures")[0]), ElementsAre(Point{0, 0}, Point{30, 1}, Point{60, 1}));
}

TEST_F(PluginFactsTest, HasTheQuantilesAsLabels) {
  add(0, {facts_of("web", "tag"), facts_of("db", "tag")});
  const auto found = series("plugin_tick_seconds", "web");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].labels.get("quantile"), "0.5");
  EXPECT_EQ(found[1].labels.get("quantile"), "0.99");
  EXPECT_DOUBLE_EQ(found[1].points[0].value, 12e-6);
}

TEST_F(PluginFactsTest, ContinuesAfterARestart) {
  add(0, {facts_of("web", "tag")});
  writer_ = *AgentFactsWriter::open(path());
  add(60, {facts_of("web", "tag")});
  ASSERT_EQ(series("plugin_dropped_ticks").size(), 1U);
  EXPECT_EQ(series("plugin_dropped_ticks")[0].points.size(), 2U);
}

TEST_F(PluginFactsTest, AFileWithoutThePluginsTablesHasNone) {
  auto db = sqlite::Database::open(path(), SQLITE_OPEN_READWRITE);
  ASSERT_TRUE(db);
  ASSERT_TRUE(db->exec("DROP TABLE plugin_facts"));
  EXPECT_THAT(series("plugin_failures"), IsEmpty());
}

}  // namespace
}  // namespace monitor::analysis::history
