#include "views/history/agent_facts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace monitor::analysis::history {
namespace {

using query::Point;
using ::testing::ElementsAre;

constexpr int64_t kStart = 1'700'000'000;

class AgentFactsTest : public ::testing::Test {
 protected:
  AgentFactsTest() : folder_(std::filesystem::path(testing::TempDir()) / ("facts-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~AgentFactsTest() override { std::filesystem::remove_all(folder_); }

  std::string path() const { return facts_path(folder_ / "history.db"); }
  void add(AgentFactsWriter& writer, int64_t second, const std::vector<AgentFacts>& facts) {
    const auto added = writer.add((kStart + second) * kNanosPerSecond, facts);
    ASSERT_TRUE(added) << added.error().message();
  }
  // The points of the only series that matches, with times since the start.
  std::vector<Point> points(std::string_view function, int64_t from_s, int64_t to_s, const std::string& state = "",
                            const std::string& agents = ".*") {
    auto reader = AgentFactsReader::open(path());
    EXPECT_TRUE(reader);
    const std::vector<query::Matcher> matchers = {
        *query::Matcher::create(query::Matcher::Kind::kRegex, "agent", agents)};
    const auto found = (*reader)->series(function, matchers, (kStart + from_s) * 1000, (kStart + to_s) * 1000);
    EXPECT_TRUE(found);
    std::vector<Point> all;
    for (const query::StoredSeries& one : *found) {
      if (one.labels.get("state") != state) continue;
      for (const Point& point : one.points) all.push_back({point.time_ms / 1000 - kStart, point.value});
    }
    return all;
  }

  const std::filesystem::path folder_;
};

TEST_F(AgentFactsTest, HasAPastOfChangesAndAMinutesRhythm) {
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer);
  AgentFacts web{.agent = "web", .host = "h1", .state = "alive", .revision = 3};
  for (int64_t second = 0; second <= 120; second += 10) {
    if (second == 30) web.state = "gone";
    if (second == 90) web.revision = 4;
    add(**writer, second, {web});
  }
  EXPECT_THAT(points("agent_state", 0, 120, "alive"),
              ElementsAre(Point{0, 1}, Point{30, 0}, Point{60, 0}, Point{90, 0}, Point{120, 0}));
  EXPECT_THAT(points("agent_state", 20, 60, "gone"), ElementsAre(Point{30, 1}, Point{60, 1}));
  EXPECT_THAT(points("config_revision", 60, 119), ElementsAre(Point{60, 3}, Point{90, 4}));
  EXPECT_TRUE(points("agent_state", 0, 120, "alive", "db.*").empty());
}

TEST_F(AgentFactsTest, HasTheShareOfUnusualSeries) {
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer);
  AgentFacts web{.agent = "web", .host = "h1"};
  add(**writer, 0, {web});  // nothing has a score yet
  web.scored = 40;
  add(**writer, 60, {web});
  web.unusual = 10;
  add(**writer, 120, {web});
  EXPECT_THAT(points("unusual_fraction", 0, 120), ElementsAre(Point{60, 0}, Point{120, 0.25}));
}

TEST_F(AgentFactsTest, CountsTheLateAmongTheTicksOfFiveMinutes) {
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer);
  AgentFacts web{.agent = "web", .host = "h1", .ticks = 1000, .late_ticks = 100};
  for (int64_t minute = 0; minute <= 12; ++minute) {
    add(**writer, minute * 60, {web});
    if (minute == 9) continue;  // nothing comes in the tenth minute
    web.ticks += 60;
    if (minute >= 2 && minute < 4) web.late_ticks += 30;
  }
  const auto all = points("late_fraction", 60, 720);
  ASSERT_EQ(all.size(), 12U);
  EXPECT_EQ(all[1], (Point{120, 0}));
  EXPECT_EQ(all[3], (Point{240, 60.0 / 240}));
  EXPECT_EQ(all[4], (Point{300, 60.0 / 300}));
  EXPECT_EQ(all[8], (Point{540, 0}));
  // The same, although the query begins later: the past before it counts.
  EXPECT_THAT(points("late_fraction", 300, 300), ElementsAre(Point{300, 60.0 / 300}));
}

TEST_F(AgentFactsTest, StartsAnewWhenTheLedgerForgetsARun) {
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer);
  add(**writer, 0, {{.agent = "web", .host = "h", .ticks = 1000, .late_ticks = 500, .gap_seconds = 0}});
  add(**writer, 60, {{.agent = "web", .host = "h", .ticks = 10, .late_ticks = 0, .gap_seconds = 7}});
  add(**writer, 120, {{.agent = "web", .host = "h", .ticks = 20, .late_ticks = 5, .gap_seconds = 0}});
  EXPECT_THAT(points("late_fraction", 0, 120), ElementsAre(Point{120, 0.5}));
  EXPECT_THAT(points("gap_seconds", 0, 120), ElementsAre(Point{0, 0}, Point{60, 7}, Point{120, 0}));
}

TEST_F(AgentFactsTest, KnowsClocksCertificatesAndBatches) {
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer);
  AgentFacts web{.agent = "web", .host = "h", .gap_seconds = 70, .missing = 3, .waiting = 12};
  add(**writer, 0, {web});
  EXPECT_THAT(points("missing_batches", 0, 10), ElementsAre(Point{0, 3}));
  EXPECT_THAT(points("waiting_batches", 0, 10), ElementsAre(Point{0, 12}));
  EXPECT_TRUE(points("clock_skew_seconds", 0, 10).empty()) << "unknown";
  EXPECT_TRUE(points("certificate_seconds", 0, 10).empty()) << "unknown";
  web.skew_ms = -1500;
  web.certificate_s = kStart + 1000;
  web.certificate_life_s = 5000;
  add(**writer, 60, {web});
  web.skew_ms = 0;
  add(**writer, 120, {web});
  web.skew_ms = 250;
  add(**writer, 180, {web});
  EXPECT_THAT(points("clock_skew_seconds", 0, 200), ElementsAre(Point{60, -1.5}, Point{120, 0}, Point{180, 0.25}));
  EXPECT_THAT(points("certificate_life_seconds", 0, 60), ElementsAre(Point{60, 5000}));
  EXPECT_THAT(points("certificate_seconds", 0, 200), ElementsAre(Point{60, 940}, Point{120, 880}, Point{180, 820}));
}

TEST_F(AgentFactsTest, ReadsAndContinuesAFileOfTheFirstVersion) {
  {
    auto db = Database::open(path(), SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    ASSERT_TRUE(db);
    const std::string time = std::to_string(kStart * kNanosPerSecond);
    ASSERT_TRUE(
        db->exec("CREATE TABLE agents(id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL, host TEXT NOT NULL,"
                 " UNIQUE(name, host));"
                 "CREATE TABLE facts(time_ns INTEGER PRIMARY KEY, rows BLOB NOT NULL);"
                 "INSERT INTO agents VALUES(1, 'web', 'h');"
                 "INSERT INTO facts VALUES(" +
                 time +
                 ", x'010007000009');"
                 "PRAGMA user_version=1"));
  }
  EXPECT_THAT(points("gap_seconds", 0, 10), ElementsAre(Point{0, 9}));
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer) << writer.error().message();
  add(**writer, 60, {{.agent = "web", .host = "h", .revision = 8, .gap_seconds = 1, .missing = 2}});
  EXPECT_THAT(points("gap_seconds", 0, 60), ElementsAre(Point{0, 9}, Point{60, 1}));
  EXPECT_THAT(points("config_revision", 0, 60), ElementsAre(Point{0, 7}, Point{60, 8}));
  EXPECT_THAT(points("missing_batches", 0, 60), ElementsAre(Point{0, 0}, Point{60, 2}));
}

TEST_F(AgentFactsTest, MovesADamagedFileAside) {
  std::ofstream(path()) << std::string(8192, 'x');
  auto writer = AgentFactsWriter::open(path());
  ASSERT_TRUE(writer) << writer.error().message();
  add(**writer, 0, {{.agent = "web", .host = "h"}});
  EXPECT_EQ(points("config_revision", 0, 10).size(), 1U);
}

TEST_F(AgentFactsTest, SaysThatThereIsNoFile) {
  const auto reader = AgentFactsReader::open(path());
  ASSERT_FALSE(reader);
  EXPECT_EQ(reader.error().code(), Code::kNotFound);
}

}  // namespace
}  // namespace monitor::analysis::history
