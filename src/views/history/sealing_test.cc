// Ticks become blocks: nothing is lost, doubled or changed by it, in any order of arrival and through kills.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <map>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "views/history/block.h"
#include "views/history/query.h"
#include "views/history/store.h"

namespace monitor::analysis::history {
namespace {

using ::testing::HasSubstr;

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kStart = int64_t{1'790'000'100} * kSecond;  // the start of a block

class SealingTest : public ::testing::Test {
 protected:
  SealingTest() : folder_(std::filesystem::path(testing::TempDir()) / ("sealing-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    options_.path = folder_ / "history.db";
    options_.clock_start = TrustedClock::Start::kTrust;
    clock_.step_wall(kStart - clock_.wall_ns());
  }
  ~SealingTest() override { std::filesystem::remove_all(folder_); }

  void open() {
    store_.reset();
    auto store = HistoryStore::open(options_, clock_, registry_);
    ASSERT_TRUE(store) << store.error().message();
    store_ = std::move(*store);
  }
  // The tick of an agent: one integer and one double.
  static metrics::Batch tick(const std::string& agent, int64_t time_ns, int64_t integer, double real) {
    metrics::Batch batch;
    batch.agent_id = agent;
    batch.hostname = "host";
    batch.appended_ns = time_ns;
    batch.send_every_ns = static_cast<uint64_t>(kSecond);
    batch.series = {{.name = "an.integer", .labels = {}, .unit = "1", .integer = true, .exponent = 0},
                    {.name = "a.double", .labels = {}, .unit = "1"}};
    metrics::Frame frame{.time_ns = time_ns, .rates_since_ns = 0, .points = {}};
    metrics::Point first{.series = 0};
    first.integer = integer;
    metrics::Point second{.series = 1};
    second.real = real;
    frame.points = {first, second};
    batch.frames.push_back(frame);
    return batch;
  }
  void apply(const metrics::Batch& batch) {
    store_->apply({.partition = 0, .offset = ++offset_, .time_ns = clock_.wall_ns()}, batch);
  }
  void commit() {
    const metriclog::Snapshot snapshot{.partition = 0, .next_offset = offset_ + 1};
    const Status stored = store_->store("log", std::span(&snapshot, 1));
    ASSERT_TRUE(stored) << stored.error().message();
  }
  Result<Range> range(const std::string& agent, const std::string& metric, Resolution resolution = Resolution::kFull) {
    auto reader = HistoryReader::open(options_.path);
    if (!reader) return reader.error();
    return (*reader)->range(
        {.agents = {agent}, .metric = metric, .from_ns = 0, .to_ns = INT64_MAX, .resolution = resolution});
  }
  int64_t number(const std::string& sql) const {
    auto db = Database::open(options_.path, SQLITE_OPEN_READWRITE);
    EXPECT_TRUE(db);
    return *db->integer(sql);
  }
  void change(const std::string& sql) const {
    auto db = Database::open(options_.path, SQLITE_OPEN_READWRITE);
    ASSERT_TRUE(db);
    const Status changed = db->exec(sql);
    ASSERT_TRUE(changed) << changed.error().message();
  }

  const std::filesystem::path folder_;
  FakeClock clock_;
  telemetry::Registry registry_;
  HistoryOptions options_;
  std::unique_ptr<HistoryStore> store_;
  int64_t offset_ = 0;
};

TEST_F(SealingTest, FiveMinutesBecomeABlock) {
  open();
  for (int i = 0; i < 3600; ++i) {
    apply(tick("a", clock_.wall_ns(), i, i / 100.0));
    clock_.advance(kSecond);
    if (i % 10 == 0) commit();
  }
  commit();
  EXPECT_EQ(number("SELECT count(*) FROM blocks"), 11);
  EXPECT_EQ(number("SELECT count(*) FROM block_rows"), 33);
  EXPECT_EQ(number("SELECT min(last_ns - first_ns) FROM blocks"), 299 * kSecond);
  EXPECT_EQ(number("SELECT min(oldest_ns) FROM open_ticks"), kStart + 3300 * kSecond);
  EXPECT_LT(number("SELECT sum(length(bytes)) FROM block_rows"), 3300 * 2 * 2 / 3) << "steady values are short";
  const auto found = range("a", "a.double");
  ASSERT_TRUE(found) << found.error().message();
  ASSERT_EQ(found->series.size(), 1U);
  ASSERT_EQ(found->series[0].values.size(), 3600U);
  for (int i = 0; i < 3600; ++i) {
    ASSERT_EQ(found->series[0].times_ns[i], kStart + i * kSecond);
    ASSERT_EQ(found->series[0].values[i], i / 100.0);
  }
}

// Against a model, at every resolution: ticks in any order, up to an hour late, of any value, with commits and kills at
// any moment, and with the time going on without ticks.
TEST_F(SealingTest, ReturnsExactlyWhatWasStored) {
  SeededRandom random(21);
  open();
  const std::vector<std::string> agents = {"a", "b", "c"};
  using Model = std::map<std::string, std::vector<std::tuple<int64_t, int64_t, uint64_t>>>;
  Model committed;
  Model all;
  const std::vector<double> odd = {NAN, -0.0, INFINITY, 5e-324, 1.0 / 3, 1e300, 0.1};
  for (int i = 0; i < 6000; ++i) {
    clock_.advance(static_cast<int64_t>(random.below(3000)) * 1'000'000);
    const int64_t late = random.below(8) == 0 ? static_cast<int64_t>(random.below(3600)) * kSecond : 0;
    const int64_t time = clock_.wall_ns() - late;
    const auto integer = static_cast<int64_t>(random.next() >> random.below(64));
    const double real = random.below(50) == 0 ? odd[random.below(odd.size())]
                                              : std::nearbyint(random.unit() * 1000) / (random.below(30) == 0 ? 3 : 10);
    const std::string& agent = agents[random.below(agents.size())];
    apply(tick(agent, time, integer, real));
    all[agent].emplace_back(time, integer, std::bit_cast<uint64_t>(real));
    if (random.below(10) == 0) {
      commit();
      committed = all;
    }
    if (random.below(200) == 0) {
      ASSERT_TRUE(store_->expire());
    }
    if (random.below(300) == 0) {  // a kill: what was not committed is read from the log again
      open();
      all = committed;
    }
  }
  commit();
  EXPECT_GT(number("SELECT count(*) FROM blocks"), 20);
  for (const std::string& agent : agents) {
    auto& model = all[agent];
    std::ranges::stable_sort(model, {}, [](const auto& one) { return std::get<0>(one); });
    const auto integers = range(agent, "an.integer");
    const auto reals = range(agent, "a.double");
    ASSERT_TRUE(integers && reals);
    const RangeSeries& whole = integers->series.at(0);
    const RangeSeries& real = reals->series.at(0);
    ASSERT_EQ(whole.values.size(), model.size());
    ASSERT_EQ(real.values.size(), model.size());
    for (size_t i = 0; i < model.size(); ++i) {
      const auto& [time, integer, bits] = model[i];
      ASSERT_EQ(whole.times_ns[i], time);
      ASSERT_EQ(real.times_ns[i], time);
      ASSERT_EQ(whole.values[i], static_cast<double>(integer));
      ASSERT_EQ(std::bit_cast<uint64_t>(real.values[i]), bits) << "tick " << i;
    }
    for (const Resolution resolution :
         {Resolution::kSecond, Resolution::kTenSeconds, Resolution::kMinute, Resolution::kHour}) {
      std::map<int64_t, Cell> cells;
      for (const auto& [time, integer, bits] : model) {
        cells[bucket_of(time, width_ns(resolution))].add(static_cast<double>(integer));
      }
      const auto reduced = range(agent, "an.integer", resolution);
      ASSERT_TRUE(reduced);
      const RangeSeries& series = reduced->series.at(0);
      ASSERT_EQ(series.times_ns.size(), cells.size()) << to_string(resolution);
      size_t i = 0;
      for (const auto& [time, cell] : cells) {
        ASSERT_EQ(series.times_ns[i], time);
        ASSERT_EQ(series.counts[i], cell.count);
        ASSERT_EQ(series.min[i], cell.min);
        ASSERT_EQ(series.max[i], cell.max);
        ++i;
      }
    }
  }
}

// A process is killed while it writes; whatever it has confirmed as committed is there afterwards, once.
TEST_F(SealingTest, LosesNothingToAKill) {
  SeededRandom random(5);
  int64_t next = 0;
  for (int round = 0; round < 8; ++round) {
    std::array<int, 2> pipe_ends{};
    ASSERT_EQ(pipe(pipe_ends.data()), 0);
    const pid_t child = fork();
    if (child == 0) {
      open();
      for (int64_t i = next;; ++i) {
        clock_.step_wall(kStart + i * kSecond - clock_.wall_ns());
        apply(tick("a", clock_.wall_ns(), i, 0.5));
        if (i % 7 != 0) continue;
        const metriclog::Snapshot snapshot{.partition = 0, .next_offset = i + 1};
        if (!store_->store("log", std::span(&snapshot, 1))) _exit(1);
        if (write(pipe_ends[1], &i, sizeof i) != sizeof i) _exit(2);
      }
    }
    close(pipe_ends[1]);
    int64_t last = -1;
    const auto wanted = static_cast<int64_t>(next + 200 + static_cast<int64_t>(random.below(900)));
    while (last < wanted && read(pipe_ends[0], &last, sizeof last) == sizeof last) continue;
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the writer failed: " << status;
    for (int64_t i = 0; read(pipe_ends[0], &i, sizeof i) == sizeof i;) last = i;
    close(pipe_ends[0]);
    open();
    const auto position = store_->load("log");
    ASSERT_TRUE(position);
    next = position->at(0).next_offset;
    EXPECT_GE(next, last + 1);
    store_.reset();
    const auto found = range("a", "an.integer");
    ASSERT_TRUE(found) << found.error().message();
    ASSERT_EQ(found->series.at(0).values.size(), static_cast<size_t>(next)) << "each tick up to the position, once";
    for (int64_t i = 0; i < next; ++i)
      ASSERT_EQ(found->series[0].values[static_cast<size_t>(i)], static_cast<double>(i));
    const auto minutes = range("a", "an.integer", Resolution::kMinute);
    uint64_t count = 0;
    for (const uint64_t one : minutes->series.at(0).counts) count += one;
    ASSERT_EQ(count, static_cast<uint64_t>(next));
  }
  EXPECT_GT(number("SELECT count(*) FROM blocks"), 5);
}

TEST_F(SealingTest, ManyTicksOfOneWindowAreSeveralBlocks) {
  open();
  constexpr int kTicks = 40'000;
  for (int round = 0; round < 2; ++round) {
    for (int i = 0; i < kTicks / 2; ++i) {
      const int64_t number = i * 2 + round;
      apply(tick("a", kStart + number * 5'000'000, number, 0));
    }
    commit();
    clock_.advance(1000 * kSecond);
    ASSERT_TRUE(store_->expire());
  }
  EXPECT_GE(number("SELECT count(*) FROM blocks"), 3);
  EXPECT_EQ(number("SELECT count(*) FROM open_ticks"), 0);
  const auto found = range("a", "an.integer");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->series[0].values.size(), static_cast<size_t>(kTicks));
  for (int i = 0; i < kTicks; ++i) ASSERT_EQ(found->series[0].values[i], i) << "ordered over all blocks";
}

// Sixteen MiB of open ticks are sealed at once, so their block is written in parts.
TEST_F(SealingTest, LargeGroupIsSealedBeforeItsTime) {
  open();
  SeededRandom random(8);
  metrics::Batch batch = tick("a", kStart, 0, 0);
  batch.series.clear();
  for (int i = 0; i < 500; ++i) batch.series.push_back({.name = "a." + std::to_string(i), .labels = {}, .unit = "1"});
  std::vector<double> first;
  while (first.size() < 4500) {
    clock_.advance(50'000'000);
    batch.appended_ns = batch.frames[0].time_ns = clock_.wall_ns();
    batch.frames[0].points.resize(500);
    for (uint32_t i = 0; i < 500; ++i) {
      batch.frames[0].points[i].series = i;
      batch.frames[0].points[i].real = random.unit();
    }
    first.push_back(batch.frames[0].points[0].real);
    apply(batch);
    if (first.size() % 20 == 0) commit();
  }
  EXPECT_EQ(number("SELECT count(*) FROM blocks"), 1) << "225 s, less than a block";
  EXPECT_LT(number("SELECT sum(length(ticks)) FROM open_ticks"), 16 << 20);
  const auto found = range("a", "a.0");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->series.at(0).values, first);
  EXPECT_GT(number("SELECT last_ns - first_ns FROM blocks"), 100 * kSecond);
}

TEST_F(SealingTest, DamagedBlockIsAClearErrorAndOthersAreRead) {
  open();
  for (int i = 0; i < 1200; ++i) {
    apply(tick("a", clock_.wall_ns(), i, 0.25));
    clock_.advance(kSecond);
  }
  commit();
  store_.reset();
  const std::string row = std::to_string(values_row(1, 0));
  change("UPDATE block_rows SET bytes = zeroblob(length(bytes)) WHERE id = " + row);
  const auto damaged = range("a", "an.integer");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code(), Code::kDataLoss);
  EXPECT_THAT(damaged.error().message(), HasSubstr("block 1, which begins at 2026-09-21T"));
  EXPECT_TRUE(range("a", "a.double")) << "only the damaged series cannot be read";
  auto reader = HistoryReader::open(options_.path);
  EXPECT_TRUE((*reader)->range({.agents = {"a"},
                                .metric = "",
                                .from_ns = kStart + 300 * kSecond,
                                .to_ns = INT64_MAX,
                                .resolution = Resolution::kFull}));
  open();
  apply(tick("a", kStart + 5 * kSecond / 2, 7, 7));  // late, into the damaged block
  commit();
  clock_.advance(600 * kSecond);
  ASSERT_TRUE(store_->expire());
  commit();
  const auto replaced = range("a", "an.integer");
  ASSERT_TRUE(replaced) << replaced.error().message();
  EXPECT_EQ(replaced->series[0].values[0], 7);
  EXPECT_THAT(registry_.text(), HasSubstr("monitor_history_damaged_rows_total 1"));
}

TEST_F(SealingTest, DamagedOpenTicksAreAClearErrorAndAreReplaced) {
  open();
  apply(tick("a", clock_.wall_ns(), 1, 1));
  commit();
  store_.reset();
  change("INSERT INTO open_ticks VALUES(99, 0, x'ffffffff')");
  const auto damaged = range("a", "");
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code(), Code::kDataLoss);
  open();
  clock_.advance(600 * kSecond);
  ASSERT_TRUE(store_->expire());
  const auto found = range("a", "");
  ASSERT_TRUE(found) << found.error().message();
  EXPECT_EQ(found->series.size(), 2U);
}

TEST_F(SealingTest, ExpiresWithinABlock) {
  options_.keep_ns = {1000 * kSecond, kDayNs, kDayNs, kDayNs};
  open();
  for (int i = 0; i < 2000; ++i) {
    apply(tick("a", clock_.wall_ns(), i, 0));
    clock_.advance(kSecond);
  }
  commit();
  ASSERT_TRUE(store_->expire());
  const auto found = range("a", "an.integer");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->series[0].times_ns.front(), clock_.wall_ns() - 1000 * kSecond);
  EXPECT_EQ(number("SELECT min(begin_ns) FROM blocks"), kStart + 900 * kSecond);
  EXPECT_EQ(number("SELECT count(*) FROM block_rows WHERE id >> 28 NOT IN (SELECT id FROM blocks)"), 0);
}

TEST_F(SealingTest, ForgottenAgentLeavesNoRows) {
  open();
  for (int i = 0; i < 700; ++i) {
    for (const char* const agent : {"a", "b"}) apply(tick(agent, clock_.wall_ns(), i, 0));
    clock_.advance(kSecond);
  }
  commit();
  ASSERT_TRUE(store_->forget({{"a", clock_.wall_ns()}}));
  clock_.advance(600 * kSecond);
  ASSERT_TRUE(store_->expire());
  EXPECT_EQ(number("SELECT count(DISTINCT agent) FROM blocks"), 1);
  EXPECT_EQ(number("SELECT count(*) FROM block_rows WHERE id >> 28 NOT IN (SELECT id FROM blocks)"), 0);
  EXPECT_EQ(number("SELECT count(*) FROM open_ticks"), 0);
  EXPECT_EQ(range("b", "an.integer")->series.at(0).values.size(), 700U);
}

// Turns the file into one of version 1 with a tick of its own; `cells` are those of its bucket of ten seconds.
constexpr const char* kToVersion1 =
    "DROP TABLE blocks; DROP TABLE block_rows; DROP TABLE open_ticks; DROP TABLE kept;"
    "INSERT INTO points VALUES(1, 1790000100000000000, 0, x'010200000000000000f83f');"
    "INSERT INTO reduced VALUES(10000000000, 1, 1790000100000000000, x'000104');"
    "PRAGMA user_version=1;";

TEST_F(SealingTest, ReadsAFileOfVersion1BeforeAndAfterItsUpgrade) {
  open();
  apply(tick("a", clock_.wall_ns(), 0, 0));
  commit();
  store_.reset();
  change(kToVersion1);
  // The row holds 1 for the integer and 1.5 for the double.
  const auto before = range("a", "an.integer");
  ASSERT_TRUE(before) << before.error().message();
  ASSERT_EQ(before->series.size(), 1U);
  EXPECT_EQ(before->series[0].values, std::vector<double>{1});
  open();
  EXPECT_EQ(number("PRAGMA user_version"), kFileVersion);
  for (int i = 1; i < 700; ++i) {
    clock_.advance(kSecond);
    apply(tick("a", clock_.wall_ns(), i + 1, 0));
  }
  commit();
  const auto after = range("a", "an.integer");
  ASSERT_TRUE(after);
  ASSERT_EQ(after->series[0].values.size(), 700U);
  for (int i = 0; i < 700; ++i) EXPECT_EQ(after->series[0].values[static_cast<size_t>(i)], i + 1);
  const auto reduced = range("a", "an.integer", Resolution::kTenSeconds);
  EXPECT_EQ(reduced->series[0].counts[0], 10U) << "the old tick is counted once";
}

TEST_F(SealingTest, RefusesAFileOfANewerVersionAndLeavesItAlone) {
  open();
  apply(tick("a", clock_.wall_ns(), 1, 1));
  commit();
  store_.reset();
  change("PRAGMA user_version=3");
  const auto refused = HistoryStore::open(options_, clock_, registry_);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::kFailedPrecondition);
  EXPECT_THAT(refused.error().message(), HasSubstr("its format is 3, and this version reads up to 2"));
  const auto unread = range("a", "");
  ASSERT_FALSE(unread);
  EXPECT_EQ(unread.error().code(), Code::kFailedPrecondition);
  EXPECT_EQ(number("SELECT count(*) FROM agents"), 1);
}

}  // namespace
}  // namespace monitor::analysis::history
