// Scores of a history, computed on request and kept up to date, compared with a slow model of all ticks.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"
#include "query/parser.h"
#include "unusual/testing/slow_score.h"
#include "views/history/series_source.h"
#include "views/history/store.h"
#include "views/unusual/scored_source.h"
#include "views/unusual/tracker.h"

namespace monitor::analysis::unusual {
namespace {

using history::HistoryReader;
using history::HistoryStore;
using monitor::unusual::SeriesKind;
using monitor::unusual::testing::judged;
using monitor::unusual::testing::Minute;
using monitor::unusual::testing::slow_score;
using ::testing::HasSubstr;

constexpr int64_t kMinuteMs = 60'000;
constexpr int64_t kDayMinutes = 1440;
// 17 minutes after an hour begins.
constexpr int64_t kBegin = int64_t{28'333'337};
static_assert(kBegin % 60 == 17);

class UnusualTest : public ::testing::Test {
 protected:
  UnusualTest() : folder_(std::filesystem::path(::testing::TempDir()) / ("unusual-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.path = folder_ / "history.db";
    options_.clock_start = TrustedClock::Start::kTrust;
    open();
  }
  ~UnusualTest() override { std::filesystem::remove_all(folder_); }

  void open() {
    reader_.reset();
    store_.reset();
    auto store = HistoryStore::open(options_, clock_, registry_);
    ASSERT_TRUE(store) << store.error().message();
    store_ = std::move(*store);
    auto reader = HistoryReader::open(options_.path);
    ASSERT_TRUE(reader) << reader.error().message();
    reader_ = std::move(*reader);
  }
  std::unique_ptr<Tracker> tracker(const TrackerOptions& options = {}) {
    auto opened = Tracker::open(options_.path, clock_, board_, options);
    EXPECT_TRUE(opened) << opened.error().message();
    return std::move(*opened);
  }

  // A tick of a gauge and a counter at a second of a minute, which the log stores `late_s` seconds later.
  void tick(const std::string& agent, int64_t minute, int64_t second, int64_t gauge, int64_t counter,
            int64_t late_s = 0) {
    metrics::Batch batch;
    batch.agent_id = agent;
    batch.hostname = "host-of-" + agent;
    batch.incarnation = std::string(16, 'i');
    batch.sequence = ++sequence_;
    const int64_t time_ns = minute * kMinuteNs + second * kNanosPerSecond;
    batch.appended_ns = time_ns;
    batch.series = {{.name = "a.level", .labels = {}, .unit = "1", .integer = true, .exponent = -2},
                    {.name = "a.count", .labels = {}, .unit = "By", .kind = metrics::Kind::kCounter, .integer = true}};
    metrics::Point level{.series = 0};
    level.integer = gauge;
    metrics::Point count{.series = 1};
    count.integer = counter;
    batch.frames.push_back({.time_ns = time_ns, .rates_since_ns = 0, .points = {level, count}});
    log_ns_ = std::max(log_ns_, time_ns + late_s * kNanosPerSecond);
    store_->apply({.partition = 0, .offset = ++offset_, .time_ns = log_ns_}, batch);
    cells_[agent + " a.level"][minute].add({static_cast<double>(gauge) / 100, static_cast<double>(gauge) / 100});
    cells_[agent + " a.count"][minute].add({static_cast<double>(counter), static_cast<double>(counter)});
  }
  void commit() {
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = offset_ + 1};
    const Status stored = store_->store("log", std::span(&snapshot, 1));
    ASSERT_TRUE(stored) << stored.error().message();
  }

  // Ticks with random values from a minute on, every `stride` minutes; now and then one is far outside.
  void fill(const std::string& agent, int64_t from, int64_t to, int64_t stride) {
    for (int64_t minute = from; minute < to; minute += stride) {
      const int64_t level = static_cast<int64_t>(random_() % 1000) + (random_() % 400 == 0 ? 3000 : 0);
      counters_[agent] += static_cast<int64_t>(random_() % 5000) + (random_() % 400 == 0 ? 90'000 : 0);
      if (random_() % 500 == 0) counters_[agent] = 0;
      tick(agent, minute, static_cast<int64_t>(random_() % 60), level, counters_[agent]);
      if (minute % 700 == 0) commit();
    }
    commit();
  }

  std::optional<double> expected(const std::string& series, int64_t minute) const {
    const auto found = cells_.find(series);
    if (found == cells_.end()) return std::nullopt;
    std::vector<Minute> minutes;
    for (const auto& [number, values] : found->second) {
      if (number >= monitor::unusual::first_needed(minute) && number <= minute) minutes.push_back({number, values});
    }
    if (minutes.empty() || minutes.back().number != minute) return std::nullopt;
    const SeriesKind kind = series.ends_with("count") ? SeriesKind::kCounter : SeriesKind::kGauge;
    return slow_score(minutes, judged(kind, minutes), minutes.size() - 1);
  }

  // The scores of a selector by series ("AGENT METRIC") and minute, from and to inclusive.
  using Scores = std::map<std::string, std::map<int64_t, double>>;
  static Scores scores(ScoredSource& source, const std::string& selector, int64_t from, int64_t to) {
    auto matchers = query::parse_selector(selector);
    EXPECT_TRUE(matchers) << matchers.error().message();
    const auto found = source.own_series("unusual", *matchers, (from + 1) * kMinuteMs, (to + 1) * kMinuteMs);
    EXPECT_TRUE(found) << found.error().message();
    Scores all;
    if (!found) return all;
    for (const query::StoredSeries& series : *found) {
      auto& of_series = all[std::string(series.labels.get("agent")) + " " + std::string(series.labels.name())];
      for (const query::Point& point : series.points) {
        EXPECT_EQ(point.time_ms % kMinuteMs, 0);
        of_series[point.time_ms / kMinuteMs - 1] = point.value;
      }
    }
    return all;
  }
  Scores expected_scores(int64_t from, int64_t to) const {
    Scores all;
    for (const auto& [series, cells] : cells_) {
      for (int64_t minute = from; minute <= to; ++minute) {
        if (const auto score = expected(series, minute)) all[series][minute] = *score;
      }
    }
    return all;
  }
  ScoredSource computing(int64_t ahead_ms = 0) {
    return {data_.emplace(*reader_), {.reader = reader_.get(), .ahead_ms = ahead_ms}};
  }
  ScoredSource of_board() { return {data_.emplace(*reader_), {.board = &board_}}; }

  const std::filesystem::path folder_;
  history::HistoryOptions options_;
  FakeClock clock_;
  telemetry::Registry registry_;
  std::unique_ptr<HistoryStore> store_;
  std::unique_ptr<HistoryReader> reader_;
  std::optional<history::HistorySource> data_;
  ScoreBoard board_;
  std::mt19937_64 random_{5};
  std::map<std::string, std::map<int64_t, Extremes>> cells_;
  std::map<std::string, int64_t> counters_;
  uint64_t sequence_ = 0;
  int64_t offset_ = 0;
  int64_t log_ns_ = 0;
};

constexpr const char* kAll = R"({__name__=~"a[.].+"})";

TEST_F(UnusualTest, ComputesWhatTheModelSays) {
  const int64_t end = kBegin + 9 * kDayMinutes;
  fill("web-1", kBegin, end, 7);
  fill("web-2", kBegin + 6 * kDayMinutes, end, 11);
  fill("new", end - 600, end, 5);
  auto source = computing();
  for (const int64_t from : {kBegin, kBegin + kDayMinutes - 100, end - 3000, end - 200}) {
    const Scores found = scores(source, kAll, from, from + 190);
    EXPECT_EQ(found, expected_scores(from, from + 190)) << from - kBegin;
    EXPECT_EQ(found.contains("new a.level"), false);
  }
  const Scores newest = scores(source, kAll, end - 200, end);
  EXPECT_EQ(newest.size(), 4U);
  // The names of Prometheus, and one agent.
  const Scores mapped = scores(source, R"(a_level_ratio{agent="web-1"})", end - 200, end);
  ASSERT_EQ(mapped.size(), 1U);
  EXPECT_EQ(mapped.begin()->second, newest.at("web-1 a.level"));
}

TEST_F(UnusualTest, ComputesAheadWhatItWouldComputeLater) {
  const int64_t end = kBegin + 3 * kDayMinutes;
  fill("web-1", kBegin, end, 3);
  auto ahead = computing(3 * 60 * kMinuteMs);
  for (int64_t to = end - 1000; to < end; to += 77) {
    auto source = computing();
    EXPECT_EQ(scores(ahead, kAll, to - 5, to), scores(source, kAll, to - 5, to)) << end - to;
  }
}

TEST_F(UnusualTest, TracksWhatItWouldCompute) {
  int64_t now = kBegin + 2 * kDayMinutes;
  fill("web-1", kBegin, now, 3);
  fill("web-2", kBegin, now, 2);
  auto tracking = tracker();
  Scores seen;
  for (int pass = 0; pass < 60; ++pass) {
    const int64_t next = now + 1 + static_cast<int64_t>(random_() % 40);
    fill("web-1", now, next, 1 + static_cast<int64_t>(pass / 20));
    if (pass < 20 || pass > 35) fill("web-2", now, next, 2);  // a gap
    now = next;
    // A restart of the writer, and one of the reader.
    if (pass % 13 == 5) open();
    if (pass % 17 == 5) tracking = tracker();
    ASSERT_TRUE(tracking->pass(now * kMinuteNs + 5 * kNanosPerSecond));
    auto board = of_board();
    auto source = computing();
    const Scores tracked = scores(board, kAll, now - 10, now - 1);
    ASSERT_EQ(tracked, scores(source, kAll, now - 10, now - 1)) << pass;
    for (const auto& [series, points] : tracked) seen[series].insert(points.begin(), points.end());
  }
  EXPECT_EQ(seen.size(), 4U);
  for (const auto& [series, points] : seen) {
    for (const auto& [minute, score] : points) ASSERT_EQ(score, expected(series, minute)) << series << " " << minute;
  }
}

TEST_F(UnusualTest, TracksDataThatIsLateByUpToAnHourAtOnce) {
  const int64_t now = kBegin + 2 * kDayMinutes;
  fill("web-1", kBegin, now - 50, 2);
  auto tracking = tracker();
  ASSERT_TRUE(tracking->pass(now * kMinuteNs));
  fill("web-1", now - 50, now, 2);
  fill("web-1", now, now + 10, 1);
  ASSERT_TRUE(tracking->pass((now + 10) * kMinuteNs));
  auto board = of_board();
  EXPECT_EQ(scores(board, kAll, now, now + 9), expected_scores(now, now + 9));
  EXPECT_EQ(tracking->reloads(), 1U);
}

TEST_F(UnusualTest, CountsOlderLateDataAfterTheNextReload) {
  const int64_t now = kBegin + 2 * kDayMinutes;
  for (int64_t minute = kBegin; minute < now; minute += 2) tick("web-1", minute, 0, 100 + minute % 3, 0);
  commit();
  auto tracking = tracker({.reload_minutes = 60});
  ASSERT_TRUE(tracking->pass(now * kMinuteNs));
  // Six hours ago, the level was far higher.
  tick("web-1", now - 360, 30, 900, 0, 360 * 60);
  for (int64_t minute = now; minute < now + 61; ++minute) tick("web-1", minute, 0, minute > now + 55 ? 800 : 101, 0);
  commit();
  ASSERT_TRUE(tracking->pass((now + 59) * kMinuteNs));
  auto board = of_board();
  EXPECT_GT(scores(board, kAll, now + 58, now + 58)["web-1 a.level"][now + 58], 0.9);
  ASSERT_TRUE(tracking->pass((now + 60) * kMinuteNs));
  EXPECT_EQ(tracking->reloads(), 2U);
  EXPECT_EQ(scores(board, kAll, now + 58, now + 59), expected_scores(now + 58, now + 59));
  EXPECT_EQ(scores(board, kAll, now + 58, now + 58)["web-1 a.level"][now + 58], 0);
}

TEST_F(UnusualTest, ReloadsWithinItsBudget) {
  const int64_t now = kBegin + kDayMinutes;
  for (const char* const agent : {"web-1", "web-2", "web-3"}) fill(agent, now - 100, now, 1);
  auto tracking = tracker({.reload_minutes = 1, .reload_budget_ns = 0});
  ASSERT_TRUE(tracking->pass(now * kMinuteNs));
  EXPECT_EQ(tracking->reloads(), 3U);  // the first time
  ASSERT_TRUE(tracking->pass((now + 2) * kMinuteNs));
  EXPECT_EQ(tracking->reloads(), 3U);
  // The clock was set back.
  ASSERT_TRUE(tracking->pass((now - 1000) * kMinuteNs));
  EXPECT_EQ(tracking->reloads(), 6U);
}

TEST_F(UnusualTest, UsesWhatTheHistoryHasNotYetDeleted) {
  options_.keep_ns = {kHourNs, kHourNs, 40 * kHourNs, 400 * kDayNs};
  open();
  const int64_t now = kBegin + 3 * kDayMinutes;
  // High on the first day, low afterwards.
  for (int64_t minute = kBegin; minute < now; minute += 2) {
    tick("web-1", minute, 0, minute < kBegin + kDayMinutes ? 900 + minute % 5 : 100 + minute % 5, 0);
  }
  tick("web-1", now, 0, 500, 0);
  tick("web-1", now + 10, 0, 500, 0);
  commit();
  auto before = computing();
  EXPECT_EQ(scores(before, kAll, now, now)["web-1 a.level"][now], 0);
  clock_.advance((now + 11) * kMinuteNs - clock_.wall_ns());
  ASSERT_TRUE(store_->expire());
  auto after = computing();
  EXPECT_GT(scores(after, kAll, now, now)["web-1 a.level"][now], 0.9);
  auto tracking = tracker();
  ASSERT_TRUE(tracking->pass((now + 1) * kMinuteNs));
  auto board = of_board();
  EXPECT_EQ(scores(board, kAll, now, now), scores(after, kAll, now, now));
}

TEST_F(UnusualTest, ForgetsAgentsThatTheHistoryForgets) {
  const int64_t now = kBegin + 2 * kDayMinutes;
  fill("web-1", kBegin, now, 2);
  fill("web-2", kBegin, now, 2);
  auto tracking = tracker();
  ASSERT_TRUE(tracking->pass(now * kMinuteNs));
  EXPECT_EQ(board_.agents().size(), 2U);
  EXPECT_EQ(board_.share_of("web-2").series, 2U);
  ASSERT_TRUE(store_->forget({{"web-2", INT64_MAX}}));
  ASSERT_TRUE(tracking->pass((now + 1) * kMinuteNs));
  EXPECT_EQ(board_.agents().size(), 1U);
  EXPECT_EQ(board_.share_of("web-2").series, 0U);
  EXPECT_EQ(tracking->series(), 2U);
}

TEST_F(UnusualTest, CountsTheShareOfSeriesThatAreUnusualAtOnce) {
  const int64_t now = kBegin + 2 * kDayMinutes;
  for (int64_t minute = kBegin; minute < now; ++minute) tick("web-1", minute, 0, minute % 9, 100 * minute);
  auto tracking = tracker();
  commit();
  ASSERT_TRUE(tracking->pass(now * kMinuteNs));
  EXPECT_EQ(board_.share_of("web-1").series, 2U);
  EXPECT_EQ(board_.share_of("web-1").unusual, 0U);
  tick("web-1", now, 0, 20, 100 * now);
  commit();
  ASSERT_TRUE(tracking->pass((now + 1) * kMinuteNs));
  EXPECT_EQ(board_.share_of("web-1").unusual, 1U);
  // The newest score counts for five minutes.
  ASSERT_TRUE(tracking->pass((now + 5) * kMinuteNs));
  EXPECT_EQ(board_.share_of("web-1").series, 2U);
  ASSERT_TRUE(tracking->pass((now + 6) * kMinuteNs));
  EXPECT_EQ(board_.share_of("web-1").series, 0U);
}

TEST_F(UnusualTest, TakesOldTimesFromTheHistoryAndNewOnesFromTheBoard) {
  const int64_t now = kBegin + 2 * kDayMinutes;
  fill("web-1", kBegin, now, 1);
  auto tracking = tracker();
  ASSERT_TRUE(tracking->pass(now * kMinuteNs));
  size_t checks = 0;
  ScoredSource both(data_.emplace(*reader_),
                    {.reader = reader_.get(), .board = &board_, .check = [&checks]() -> Status {
                       ++checks;
                       return {};
                     }});
  EXPECT_EQ(scores(both, kAll, now - 6, now - 1), expected_scores(now - 6, now - 1));
  EXPECT_EQ(checks, 0U);
  EXPECT_EQ(scores(both, kAll, now - 40, now - 30), expected_scores(now - 40, now - 30));
  EXPECT_GT(checks, 0U);
  // Rules ask for the newest scores only.
  auto board = of_board();
  EXPECT_TRUE(scores(board, kAll, now - 40, now - 30).empty());
}

TEST_F(UnusualTest, EndsWhereALimitIsReached) {
  const int64_t now = kBegin + 2 * kDayMinutes;
  fill("web-1", kBegin, now, 1);
  const auto all = query::parse_selector(kAll);
  const auto ask = [&](ScoredSource& source) {
    return source.own_series("unusual", *all, (now - 500) * kMinuteMs, now * kMinuteMs);
  };
  ScoredSource few(data_.emplace(*reader_), {.reader = reader_.get(), .max_points = 100});
  EXPECT_THAT(ask(few).error().message(), HasSubstr("the query may find 100"));
  auto small = computing();
  small.limit_bytes(1000);
  EXPECT_THAT(ask(small).error().message(), HasSubstr("has 1000 bytes left"));
  ScoredSource ended(data_.emplace(*reader_), {.reader = reader_.get(), .check = []() -> Status {
                                                 return Error(Code::kDeadlineExceeded, "too long");
                                               }});
  EXPECT_EQ(ask(ended).error().message(), "too long");
  ScoredSource without(data_.emplace(*reader_), {});
  EXPECT_THAT(ask(without).error().message(), HasSubstr("unusual() is not available here"));
}

}  // namespace
}  // namespace monitor::analysis::unusual
