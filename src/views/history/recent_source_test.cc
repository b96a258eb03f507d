// RecentSource finds what HistorySource finds, while ticks come, come late, and become blocks.
#include "views/history/recent_source.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "query/parser.h"
#include "views/history/series_source.h"
#include "views/history/store.h"

namespace monitor::analysis::history {
namespace {

constexpr int64_t kBeginMs = 1'700'000'100'000;
constexpr int64_t kNanosPerMs = 1'000'000;

const std::vector<std::pair<std::string, int64_t>> kQuestions = {
    {R"({"system.cpu.utilization"})", 300'000},
    {R"(system_cpu_utilization_ratio{agent=~"web-[1-3]"})", 60'000},
    {R"({"system.disk.io", "disk.io.direction"="read"})", 600'000},
    {R"({agent="web-2"})", 30'000},
    {R"({"nobody.has.this"})", 300'000},
    {R"({"system.cpu.utilization"})", 3'600'000},
};

class RecentSourceTest : public ::testing::Test {
 protected:
  RecentSourceTest() : folder_(std::filesystem::path(testing::TempDir()) / ("recent-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto store = HistoryStore::open({.path = path()}, clock_, registry_);
    EXPECT_TRUE(store) << store.error().message();
    store_ = std::move(*store);
    auto recent = RecentSource::open(path());
    EXPECT_TRUE(recent) << recent.error().message();
    recent_ = std::move(*recent);
    auto reader = HistoryReader::open(path());
    EXPECT_TRUE(reader);
    reader_ = std::move(*reader);
  }
  ~RecentSourceTest() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ / "history.db"; }

  void tick(const std::string& agent, int64_t data_ms, int64_t log_ms, size_t disks = 1) {
    metrics::Batch batch;
    batch.agent_id = agent;
    batch.hostname = "host-of-" + agent;
    batch.incarnation = std::string(16, 'i');
    batch.sequence = ++sequence_;
    batch.appended_ns = data_ms * kNanosPerMs;
    batch.series = {{.name = "system.cpu.utilization", .labels = {}, .unit = "1", .integer = true, .exponent = -4}};
    for (size_t i = 0; i < disks; ++i) {
      batch.series.push_back({.name = "system.disk.io",
                              .labels = {{"disk.io.direction", "read"}, {"system.device", "d" + std::to_string(i)}},
                              .unit = "By",
                              .kind = metrics::Kind::kCounter,
                              .integer = true});
    }
    metrics::Frame frame{.time_ns = data_ms * kNanosPerMs, .rates_since_ns = 0, .points = {}};
    for (size_t i = 0; i < batch.series.size(); ++i) {
      metrics::Point point{.series = static_cast<metrics::SeriesId>(i)};
      point.integer = static_cast<int64_t>(random_.below(10'000));
      frame.points.push_back(point);
    }
    batch.frames.push_back(std::move(frame));
    store_->apply({.partition = 0, .offset = ++offset_, .time_ns = log_ms * kNanosPerMs}, batch);
  }
  void commit() {
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = offset_ + 1};
    ASSERT_TRUE(store_->store("log", std::span(&snapshot, 1)));
  }
  // Asks both, and compares.
  void ask(const std::string& selector, int64_t from_ms, int64_t to_ms) {
    const auto matchers = query::parse_selector(selector);
    ASSERT_TRUE(matchers);
    auto ours = recent_->select(*matchers, from_ms, to_ms);
    auto theirs = HistorySource(*reader_).select(*matchers, from_ms, to_ms);
    ASSERT_TRUE(ours) << ours.error().message();
    ASSERT_TRUE(theirs);
    for (auto* const found : {&*ours, &*theirs}) std::ranges::sort(*found, {}, &query::StoredSeries::labels);
    ASSERT_EQ(ours->size(), theirs->size()) << selector << " at " << to_ms - kBeginMs;
    for (size_t i = 0; i < ours->size(); ++i) {
      ASSERT_EQ((*ours)[i].labels, (*theirs)[i].labels);
      ASSERT_EQ((*ours)[i].points, (*theirs)[i].points)
          << (*ours)[i].labels.to_string() << " at " << to_ms - kBeginMs << ": " << (*ours)[i].points.size() << " and "
          << (*theirs)[i].points.size();
    }
    samples_ += ours->empty() ? 0 : (*ours)[0].points.size();
  }

  const std::filesystem::path folder_;
  FakeClock clock_{kBeginMs * kNanosPerMs};
  telemetry::Registry registry_;
  SeededRandom random_{7};
  std::unique_ptr<HistoryStore> store_;
  std::unique_ptr<RecentSource> recent_;
  std::unique_ptr<HistoryReader> reader_;
  uint64_t sequence_ = 0;
  int64_t offset_ = 0;
  size_t samples_ = 0;
};

TEST_F(RecentSourceTest, FindsWhatTheHistoryFindsWhileTimePasses) {
  for (int64_t second = 0; second < 1'500; ++second) {
    const int64_t now = kBeginMs + second * 1000;
    clock_.advance(kNanosPerSecond);
    for (int agent = 1; agent <= 20; ++agent) {
      if (agent == 20 && second < 700) continue;                   // it comes later
      if (agent == 3 && second > 400 && second < 1'000) continue;  // it is cut off
      const size_t disks = agent == 2 && second > 500 ? 2 : 1;     // it gets a disk
      tick("web-" + std::to_string(agent), now + agent, now + 20, disks);
    }
    if (second == 1'000) {  // and brings everything at once, the newest first
      for (int64_t late = 999; late > 400; --late) tick("web-3", kBeginMs + late * 1000 + 3, now);
    }
    if (second % 7 != 0) continue;
    commit();
    if (second % 14 != 0) continue;
    for (const auto& [selector, span] : kQuestions) ask(selector, now - span + 1, now);
    ask(R"({"system.cpu.utilization"})", now - 360'000, now - 60'000);  // an offset
  }
  EXPECT_GT(samples_, 10'000U);
  EXPECT_LE(recent_->rebuilds(), 3U) << "everything is read when selectors come, not again";
  EXPECT_LT(recent_->reloads(), 300U) << "an agent is read when its ticks become a block";
}

TEST_F(RecentSourceTest, ForgetsWhatIsNotAskedAnyMore) {
  for (int64_t second = 0; second < 60; ++second) tick("web-1", kBeginMs + second * 1000, kBeginMs + second * 1000);
  commit();
  const int64_t now = kBeginMs + 60'000;
  ask(kQuestions[0].first, now - 30'000, now);
  ask(kQuestions[0].first, now - 20'000, now + 10'000);
  EXPECT_EQ(recent_->rebuilds(), 1U);
  ask(kQuestions[2].first, now + 690'000, now + 700'000);
  ask(kQuestions[2].first, now + 690'000, now + 710'000);
  ask(kQuestions[0].first, now - 20'000, now + 10'000);
  EXPECT_EQ(recent_->rebuilds(), 2U);
}

TEST_F(RecentSourceTest, KeepsNothingBeyondItsLimit) {
  auto small = RecentSource::open(path(), {.max_points = 50});
  ASSERT_TRUE(small);
  recent_ = std::move(*small);
  for (int64_t second = 0; second < 200; ++second) {
    for (const char* const agent : {"a", "b", "c"}) tick(agent, kBeginMs + second * 1000, kBeginMs + second * 1000);
    commit();
    const int64_t now = kBeginMs + second * 1000;
    ask(kQuestions[0].first, now - 300'000, now);
  }
}

}  // namespace
}  // namespace monitor::analysis::history
