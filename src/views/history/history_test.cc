#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <map>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "consume/consumer.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/json_form.h"
#include "views/history/query.h"
#include "views/history/store.h"

namespace monitor::analysis::history {
namespace {

using metrics::Batch;
using metrics::Frame;
using metrics::Point;
using metrics::Series;

constexpr int64_t kSecond = kNanosPerSecond;

// A log in memory, a history in its own folder, and a reader that can be killed.
class HistoryTest : public ::testing::Test {
 protected:
  HistoryTest() : folder_(std::filesystem::path(testing::TempDir()) / ("history-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.path = folder_ / "history.db";
    options_.clock_start = TrustedClock::Start::kTrust;
  }
  ~HistoryTest() override { std::filesystem::remove_all(folder_); }

  void open(const Clock* clock = nullptr) {
    auto store = HistoryStore::open(options_, clock == nullptr ? clock_ : *clock, registry_);
    ASSERT_TRUE(store) << store.error().message();
    store_ = std::move(*store);
    begin_reading();
  }
  void begin_reading() {
    consumer_.reset();
    reader_ = log_.reader({.snapshots = store_.get(), .new_group_at_earliest = true});
    consumer_ = std::make_unique<Consumer>(*reader_, std::vector<View*>{store_.get()}, registry_);
  }
  // Loses everything that was not committed, as when a process is killed.
  void kill() {
    consumer_.reset();
    reader_.reset();
    store_.reset();
    open();
  }
  void read_all() {
    while (true) {
      const auto before = consumer_->metrics().batches.value() + consumer_->metrics().duplicates.value();
      ASSERT_TRUE(consumer_->step(0));
      if (consumer_->metrics().batches.value() + consumer_->metrics().duplicates.value() == before) return;
    }
  }
  void commit() {
    const Status stored = consumer_->store();
    ASSERT_TRUE(stored) << stored.error().message();
  }

  Batch batch(const std::string& agent, std::vector<Frame> frames) {
    Batch made;
    made.agent_id = agent;
    made.hostname = "host-of-" + agent;
    made.incarnation = std::string(16, 'i');
    made.sequence = ++sequence_;
    made.appended_ns = frames.empty() ? clock_.wall_ns() : frames.back().time_ns;
    made.send_every_ns = kSecond;
    made.series = {{.name = "system.cpu.utilization", .labels = {}, .unit = "1", .integer = true, .exponent = -4},
                   {.name = "a.real", .labels = {{"k", "<b>v</b>"}}, .unit = "By"}};
    made.frames = std::move(frames);
    return made;
  }
  static Frame frame(int64_t time_ns, int64_t cpu, double real) {
    Frame made{.time_ns = time_ns, .rates_since_ns = 0, .points = {}};
    Point first{.series = 0};
    first.integer = cpu;
    Point second{.series = 1};
    second.real = real;
    made.points = {first, second};
    return made;
  }
  void append(const Batch& made) {
    const std::string text = metrics::batch_to_json(made);
    const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"content-type", "application/json"}};
    ASSERT_EQ(log_.writer().append({made.agent_id, headers, text}, deliveries_, ++token_),
              metriclog::LogWriter::Accepted::kYes);
  }
  Range range(const RangeRequest& request) {
    auto reader = HistoryReader::open(options_.path);
    EXPECT_TRUE(reader);
    auto found = (*reader)->range(request);
    EXPECT_TRUE(found) << found.error().message();
    return found ? *found : Range();
  }
  RangeRequest all(const std::string& agent, Resolution resolution, const std::string& metric = "") {
    return {.agents = {agent}, .metric = metric, .from_ns = 0, .to_ns = INT64_MAX, .resolution = resolution};
  }
  uint64_t dropped(const std::string& reason) const {
    const std::string text = registry_.text();
    const std::string name = "monitor_history_points_dropped_total{reason=\"" + reason + "\"} ";
    const size_t at = text.find(name);
    return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size()));
  }

  const std::filesystem::path folder_;
  FakeClock clock_;
  metriclog::MemoryLog log_{clock_, {.partitions = 3}};
  metriclog::Deliveries deliveries_;
  telemetry::Registry registry_;
  HistoryOptions options_;
  std::unique_ptr<HistoryStore> store_;
  std::unique_ptr<metriclog::LogReader> reader_;
  std::unique_ptr<Consumer> consumer_;
  uint64_t sequence_ = 0;
  uint64_t token_ = 0;
};

TEST_F(HistoryTest, KeepsValuesInAllResolutions) {
  open();
  const int64_t start = bucket_of(clock_.wall_ns(), 3600 * kSecond);
  clock_.step_wall(start + 120 * kSecond - clock_.wall_ns());
  for (int i = 0; i < 120; ++i) append(batch("a", {frame(start + i * kSecond, i, 0.5 * i)}));
  read_all();
  commit();
  const Range full = range(all("a", Resolution::kFull, "system.*"));
  ASSERT_EQ(full.series.size(), 1U);
  EXPECT_EQ(full.series[0].times_ns.size(), 120U);
  EXPECT_EQ(full.series[0].values[57], 0.0057);
  const Range ten = range(all("a", Resolution::kTenSeconds, "a.real"));
  ASSERT_EQ(ten.series.size(), 1U);
  ASSERT_EQ(ten.series[0].times_ns.size(), 12U);
  EXPECT_EQ(ten.series[0].times_ns[3], start + 30 * kSecond);
  EXPECT_EQ(ten.series[0].counts[3], 10U);
  EXPECT_EQ(ten.series[0].min[3], 15.0);
  EXPECT_EQ(ten.series[0].max[3], 19.5);
  EXPECT_EQ(ten.series[0].values[3], 17.25);
  EXPECT_EQ(range(all("a", Resolution::kMinute)).series[0].counts, (std::vector<uint64_t>{60, 60}));
  EXPECT_EQ(range(all("a", Resolution::kHour)).series[0].counts, (std::vector<uint64_t>{120}));
  EXPECT_EQ(range(all("a", Resolution::kSecond)).series[0].counts.size(), 120U);
  EXPECT_TRUE(range(all("nobody", Resolution::kFull)).series.empty());
}

// Compares with a model: ticks in any order and hours late, copies, and kills at any moment.
TEST_F(HistoryTest, IsExactThroughKills) {
  SeededRandom random(7);
  open();
  const std::vector<std::string> agents = {"a", "b", "c", "d"};
  const int64_t hour = kHourNs;
  std::map<std::string, std::multimap<int64_t, std::pair<int64_t, double>>> model;
  std::vector<Batch> sent;
  for (int round = 0; round < 400; ++round) {
    clock_.advance(static_cast<int64_t>(random.below(20)) * kSecond);
    const std::string& agent = agents[random.below(agents.size())];
    const int64_t late = random.below(4) == 0 ? static_cast<int64_t>(random.below(5)) * hour : 0;
    std::vector<Frame> frames;
    for (uint64_t i = 0; i <= random.below(3); ++i) {
      const int64_t time = clock_.wall_ns() - late + static_cast<int64_t>(i) * kSecond / 2;
      frames.push_back(frame(time, static_cast<int64_t>(random.below(10'000)), random.unit() * 100));
      model[agent].emplace(time, std::pair(frames.back().points[0].integer, frames.back().points[1].real));
    }
    sent.push_back(batch(agent, frames));
    append(sent.back());
    if (random.below(5) == 0) append(sent[random.below(sent.size())]);  // a copy
    if (random.below(3) == 0) read_all();
    if (random.below(4) == 0) commit();
    if (random.below(10) == 0) kill();
  }
  read_all();
  commit();
  for (const std::string& agent : agents) {
    const Range full = range(all(agent, Resolution::kFull, "system.*"));
    ASSERT_EQ(full.series.size(), 1U);
    ASSERT_EQ(full.series[0].times_ns.size(), model[agent].size());
    for (const Resolution resolution :
         {Resolution::kSecond, Resolution::kTenSeconds, Resolution::kMinute, Resolution::kHour}) {
      std::map<int64_t, Cell> cells;
      std::map<int64_t, Cell> reals;
      for (const auto& [time, values] : model[agent]) {
        cells[bucket_of(time, width_ns(resolution))].add(static_cast<double>(values.first));
        reals[bucket_of(time, width_ns(resolution))].add(values.second);
      }
      const Range found = range(all(agent, resolution));
      ASSERT_EQ(found.series.size(), 2U);
      for (const RangeSeries& series : found.series) {
        const bool integer = series.series.integer;
        ASSERT_EQ(series.times_ns.size(), cells.size()) << to_string(resolution);
        size_t i = 0;
        for (const auto& [time, cell] : integer ? cells : reals) {
          const double scale = integer ? 1e4 : 1;
          EXPECT_EQ(series.times_ns[i], time);
          EXPECT_EQ(series.counts[i], cell.count);
          EXPECT_EQ(series.min[i], cell.min / scale);
          EXPECT_EQ(series.max[i], cell.max / scale);
          // The last digit of a sum of doubles depends on their order; sums of integers are exact.
          EXPECT_NEAR(series.values[i], cell.average() / scale, integer ? 0 : 1e-9);
          ++i;
        }
      }
    }
  }
}

TEST_F(HistoryTest, ReadsAgainAfterAFailedCommit) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  store_->reset();  // as after an error
  begin_reading();
  read_all();
  commit();
  EXPECT_EQ(range(all("a", Resolution::kFull)).series[0].times_ns.size(), 1U);
}

TEST_F(HistoryTest, KeepsBothTicksOfTheSameTime) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1), frame(clock_.wall_ns(), 2, 2)}));
  read_all();
  commit();
  EXPECT_EQ(range(all("a", Resolution::kFull)).series[0].values.size(), 2U);
}

TEST_F(HistoryTest, CorrectsAClockThatIsYearsOff) {
  open();
  for (const int64_t off : {int64_t{3650} * 86'400 * kSecond, int64_t{-3650} * 86'400 * kSecond}) {
    append(batch(off > 0 ? "ahead" : "behind", {frame(clock_.wall_ns() + off, 1, 1)}));
  }
  append(
      batch("a", {frame(clock_.wall_ns() * 4, 1, 1), frame(-clock_.wall_ns(), 1, 1), frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  for (const char* const agent : {"ahead", "behind", "a"}) {
    const Range found = range(all(agent, Resolution::kFull));
    ASSERT_EQ(found.series.size(), 2U) << agent;
    EXPECT_EQ(found.series[0].times_ns, std::vector<int64_t>{clock_.wall_ns()}) << agent;
  }
  EXPECT_EQ(dropped("time"), 4U);
}

TEST_F(HistoryTest, CountsSeriesBeyondTheLimit) {
  options_.max_series_per_agent = 10;
  options_.max_series = 15;
  options_.fair_series = 2;
  options_.max_agents = 3;
  open();
  for (int i = 0; i < 50; ++i) {
    Batch made = batch("many", {frame(clock_.wall_ns() + i, 1, 1)});
    made.series[0].labels = {{"n", std::to_string(i)}};
    append(made);
  }
  append(batch("good", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  for (int i = 0; i < 5; ++i) append(batch("x" + std::to_string(i), {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  EXPECT_EQ(range(all("many", Resolution::kFull)).series.size(), 10U);
  EXPECT_EQ(range(all("good", Resolution::kFull)).series.size(), 2U);
  EXPECT_EQ(dropped("cardinality"), 41U);
  EXPECT_GT(dropped("agents"), 0U);
}

TEST_F(HistoryTest, DeletesOldData) {
  options_.keep_ns = {60 * kSecond, 120 * kSecond, 600 * kSecond, 7200 * kSecond};
  open();
  for (int i = 0; i < 600; ++i) {
    clock_.advance(kSecond);
    append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  }
  read_all();
  commit();
  ASSERT_TRUE(store_->expire());
  auto reader = HistoryReader::open(options_.path);
  const auto extents = (*reader)->extents("a");
  ASSERT_EQ(extents->size(), 5U);
  EXPECT_EQ((*extents)[0].first_ns, clock_.wall_ns() - 60 * kSecond);
  EXPECT_GE((*extents)[2].first_ns, clock_.wall_ns() - 130 * kSecond);
  // Chosen as the finest resolution that reaches back far enough, which full no longer does.
  const Range chosen =
      range({.agents = {"a"}, .metric = "", .from_ns = clock_.wall_ns() - 500 * kSecond, .to_ns = clock_.wall_ns()});
  EXPECT_EQ(chosen.resolution, Resolution::kMinute);
}

TEST_F(HistoryTest, ClockThatIsWrongForAMinuteDeletesNothing) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  clock_.step_wall(3650 * kDayNs);
  for (int i = 0; i < 6; ++i) {
    ASSERT_TRUE(store_->expire());
    clock_.advance(10 * kSecond);
  }
  clock_.step_wall(-3650 * kDayNs);
  ASSERT_TRUE(store_->expire());
  EXPECT_EQ(range(all("a", Resolution::kFull)).series.size(), 2U);
  EXPECT_EQ(store_->known_agents()->size(), 1U);
}

TEST_F(HistoryTest, AgentThatIsGoneStaysReadableWhileItsRowsAreKept) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  clock_.advance(20 * kDayNs);
  ASSERT_TRUE(store_->expire());
  EXPECT_EQ(range(all("a", Resolution::kHour)).series.size(), 2U);
  clock_.advance(400 * kDayNs);
  ASSERT_TRUE(store_->expire());
  EXPECT_TRUE(range(all("a", Resolution::kHour)).series.empty());
  EXPECT_TRUE(store_->known_agents()->empty());
}

TEST_F(HistoryTest, ForgetsAnAgentWithItsRowsUnlessItWasSeenSince) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  append(batch("b", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  ASSERT_TRUE(store_->forget({{"a", clock_.wall_ns()}, {"b", clock_.wall_ns() - kSecond}, {"nobody", 1}}));
  const auto known = store_->known_agents();
  ASSERT_EQ(known->size(), 1U);
  EXPECT_EQ(known->at(0).name, "b");
  EXPECT_TRUE(range(all("a", Resolution::kFull)).series.empty());
  append(batch("a", {frame(clock_.wall_ns(), 2, 2)}));
  read_all();
  commit();
  EXPECT_EQ(store_->known_agents()->size(), 2U) << "the agent sends again";
}

TEST_F(HistoryTest, NamesTheAgentsOfAnotherLog) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  EXPECT_TRUE(store_->agents_of_other_logs()->empty());
  ASSERT_TRUE(store_->load("another log"));
  const auto others = store_->agents_of_other_logs();
  ASSERT_EQ(others->size(), 1U);
  EXPECT_EQ(others->at(0).name, "a");
}

TEST_F(HistoryTest, AgentsThatAreGoneMakeWayIfTheTableFillsUp) {
  options_.max_agents = 3;
  open();
  const auto heard = [&](const std::string& name) {
    append(batch(name, {frame(clock_.wall_ns(), 1, 1)}));
    read_all();
    commit();
  };
  heard("a");
  heard("b");
  clock_.advance(9 * kDayNs);
  heard("c");
  heard("d");
  EXPECT_EQ(store_->known_agents()->size(), 3U) << "no place for d";
  ASSERT_TRUE(store_->expire());
  EXPECT_EQ(store_->known_agents()->size(), 1U);
  EXPECT_TRUE(range(all("a", Resolution::kHour)).series.empty());
  EXPECT_EQ(range(all("c", Resolution::kHour)).series.size(), 2U) << "it lives";
  heard("d");
  EXPECT_EQ(range(all("d", Resolution::kFull)).series.size(), 2U);
}

TEST_F(HistoryTest, RowsOfAForgottenSeriesAreNotReadAsAnothers) {
  options_.max_series_per_agent = 3;  // the test uses more than half of it, so unseen names are forgotten early
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  clock_.advance(9 * kDayNs);
  ASSERT_TRUE(store_->expire());
  Batch made = batch("a", {frame(clock_.wall_ns(), 7, 7)});
  made.series[0].name = made.series[1].name = "b.other";
  append(made);
  read_all();
  commit();
  kill();
  const Range found = range(all("a", Resolution::kHour));
  ASSERT_EQ(found.series.size(), 2U);
  for (const RangeSeries& one : found.series) {
    EXPECT_EQ(one.series.name, "b.other");
    EXPECT_EQ(one.times_ns.size(), 1U) << "the old hour belongs to a forgotten series";
  }
}

TEST_F(HistoryTest, NumbersSeriesOfAgentsBeyondTheRememberedOnes) {
  options_.max_series = 1;  // twice as many are remembered, which suffices for one agent
  options_.fair_series = 2;
  open();
  for (int i = 0; i < 3; ++i) {
    for (const char* name : {"a", "b"}) append(batch(name, {frame(clock_.wall_ns() + i, i, i)}));
    read_all();
  }
  commit();
  for (const char* name : {"a", "b"}) {
    const Range found = range(all(name, Resolution::kFull));
    ASSERT_EQ(found.series.size(), 2U);
    EXPECT_EQ(found.series[1].values, (std::vector<double>{0, 1, 2}));
  }
}

TEST_F(HistoryTest, TooLargeFileDropsTheOldestOfTheFinestResolution) {
  options_.max_bytes = 100'000;
  open();
  for (int i = 0; i < 3 * 3600; ++i) {
    clock_.advance(kSecond);
    std::vector<Frame> frames;
    frames.push_back(frame(clock_.wall_ns(), i, std::sqrt(i)));
    append(batch("a", frames));
    if (i % 600 == 0) {
      read_all();
      commit();
      ASSERT_TRUE(store_->expire());
    }
  }
  read_all();
  commit();
  ASSERT_TRUE(store_->expire());
  auto reader = HistoryReader::open(options_.path);
  const auto extents = (*reader)->extents("a");
  EXPECT_GT((*extents)[0].first_ns, clock_.wall_ns() - 2 * kHourNs) << "the oldest ticks are gone";
  EXPECT_LT((*extents)[3].first_ns, clock_.wall_ns() - 2 * kHourNs) << "their minutes are not";
  EXPECT_LT(std::filesystem::file_size(options_.path), 700'000U);
}

TEST_F(HistoryTest, MovesADamagedFileAsideAndRebuilds) {
  open();
  append(batch("a", {frame(clock_.wall_ns(), 1, 1)}));
  read_all();
  commit();
  consumer_.reset();
  store_.reset();
  std::filesystem::remove(options_.path + "-wal");
  std::filesystem::resize_file(options_.path, 0);
  {
    std::unique_ptr<FILE, int (*)(FILE*)> file(fopen(options_.path.c_str(), "w"), &fclose);
    fputs(std::string(8192, 'x').c_str(), file.get());
  }
  open();
  read_all();
  commit();
  EXPECT_EQ(range(all("a", Resolution::kFull)).series.size(), 2U);
}

TEST_F(HistoryTest, BoundsTheResult) {
  open();
  for (int i = 0; i < 50; ++i) append(batch("a", {frame(clock_.wall_ns() + i, 1, NAN)}));
  read_all();
  commit();
  auto reader = HistoryReader::open(options_.path);
  RangeRequest request = all("a", Resolution::kFull);
  request.max_points = 10;
  EXPECT_EQ((*reader)->range(request).error().code(), Code::kResourceExhausted);
  request.resolution.reset();
  request.from_ns = clock_.wall_ns();
  request.to_ns = clock_.wall_ns() + 60 * kSecond;
  EXPECT_EQ((*reader)->range(request)->resolution, Resolution::kTenSeconds)
      << "without a requested resolution, the finest that fits is used";
  request = all("a", Resolution::kFull, "a.real");
  request.max_looked_at = 500;
  const auto refused = (*reader)->range(request);
  EXPECT_EQ(refused.error().code(), Code::kResourceExhausted);
  EXPECT_THAT(refused.error().message(), ::testing::HasSubstr("more than 500 values"));
  request.metric = "there.is.none";
  EXPECT_TRUE((*reader)->range(request)->series.empty()) << "nothing may be read for a series that does not exist";
  request = all("a", Resolution::kFull, "a.real");
  const auto json = nlohmann::json::parse(to_json(*(*reader)->range(request), request, "x.5"));
  EXPECT_EQ(json["series"][0]["values"][0], nullptr);
  EXPECT_EQ(json["series"][0]["labels"]["k"], "<b>v</b>");
  EXPECT_EQ(json["metrics"], nlohmann::json::object()) << "no collector declares a.real";
  EXPECT_TRUE(range(all("a", Resolution::kMinute, "a.real")).series.empty()) << "NaN is not counted";
}

TEST_F(HistoryTest, WritesAgentByAgentWhatARangeHolds) {
  open();
  for (int i = 0; i < 400; ++i) {
    clock_.step_wall(kSecond);
    append(batch("a", {frame(clock_.wall_ns(), i, i / 7.0)}));
    if (i % 2 == 0) append(batch("b", {frame(clock_.wall_ns() + 5, 2 * i, NAN)}));
    Batch few = batch("c", {frame(clock_.wall_ns() + 9, 3 * i, 1)});
    few.series.pop_back();
    few.frames[0].points.pop_back();
    append(few);
  }
  read_all();
  commit();
  auto reader = HistoryReader::open(options_.path);
  RangeRequest request = all("a", Resolution::kFull);
  request.agents = {"c", "a", "nobody", "b", "c"};
  for (const Resolution resolution : kResolutions) {
    request.resolution = resolution;
    const auto whole = (*reader)->range(request);
    ASSERT_GE(whole->series.size(), 4U);
    EXPECT_EQ(*(*reader)->range_json(request, "x.1"), to_json(*whole, request, "x.1"));
  }
  request.resolution = Resolution::kFull;
  request.max_points = 700;  // of two agents, but not of all
  EXPECT_EQ((*reader)->range_json(request, "").error().code(), Code::kResourceExhausted);
  request.resolution.reset();
  request.from_ns = clock_.wall_ns() - 400 * kSecond;
  request.to_ns = clock_.wall_ns();
  EXPECT_EQ(*(*reader)->range_json(request, ""), to_json(*(*reader)->range(request), request, ""));
}

TEST(HistoryJson, DescribesEachDeclaredMetricOnce) {
  Range range;
  for (const char* const name : {"system.cpu.utilization", "system.cpu.utilization", "odd"}) {
    range.series.emplace_back().series.name = name;
  }
  const auto json = nlohmann::json::parse(to_json(range, {}, ""));
  ASSERT_EQ(json["metrics"].size(), 1U);
  EXPECT_EQ(json["metrics"]["system.cpu.utilization"]["title"], "CPU utilization");
  EXPECT_EQ(json["metrics"]["system.cpu.utilization"]["description"],
            "Share of time in which the processors were busy.");
}

TEST(HistoryJson, WritesNumbersThatReadBackExactly) {
  Range range;
  RangeSeries one;
  one.values = {0.1234, -0.5, 1e-7, 12345.6789, 1e300, -0.0, 0.0, 3, 100'000, 0.00005, 1.0 / 3, 25e9, -2.05, 1e15};
  SeededRandom random(4);
  for (int i = 0; i < 20'000; ++i) {
    const double power = std::pow(10, static_cast<double>(random.below(7)));
    one.values.push_back((static_cast<double>(random.below(uint64_t{1} << random.below(50))) - 1000) / power);
  }
  for (size_t i = 0; i < one.values.size(); ++i) {
    one.times_ns.push_back(1'790'000'000'000'000'000 + static_cast<int64_t>(i) * 1'000'250'000);
  }
  range.series = {one, one};  // the second one's times are copied
  const auto json = nlohmann::json::parse(to_json(range, {}, ""));
  for (const auto& series : json["series"]) {
    for (size_t i = 0; i < one.values.size(); ++i) {
      ASSERT_EQ(series["values"][i].get<double>(), one.values[i]);
      const double time = static_cast<double>(one.times_ns[i] / 1000) / 1e6;
      ASSERT_EQ(series["times"][i].get<double>(), time);
    }
  }
}

TEST_F(HistoryTest, RejectsASecondWriter) {
  open();
  const auto second = HistoryStore::open(options_, clock_, registry_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code(), Code::kAborted);
}

TEST(HistoryCodec, RoundTrips) {
  std::string bytes;
  CellWriter writer(bytes);
  Cell one;
  for (const double value : {-1.5, 3.0, 1e300, -0.0}) one.add(value);
  Cell single;
  single.add(std::numeric_limits<double>::infinity());
  writer.add(3, one);
  writer.add(900, single);
  CellReader reader(bytes);
  const auto first = reader.next();
  EXPECT_EQ(first->index, 3U);
  EXPECT_EQ(first->cell.min, -1.5);
  EXPECT_EQ(first->cell.max, 1e300);
  EXPECT_EQ(first->cell.count, 4U);
  const auto second = reader.next();
  EXPECT_EQ(second->index, 900U);
  EXPECT_TRUE(std::isinf(second->cell.max));
  EXPECT_FALSE(reader.next());
}

}  // namespace
}  // namespace monitor::analysis::history
