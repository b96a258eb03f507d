// AggregateView against a simple model: the values of a window, sorted, from all batches that the log holds.
#include "views/aggregate/aggregate_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "base/random.h"
#include "base/testing/fake_clock.h"
#include "consume/consumer.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"

namespace monitor::analysis {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kStart = 1'700'000'040 * kSecond;  // a whole minute
const char* const kAllStats = "avg,min,max,sum,count,first,last,rate,p0,p50,p95,p100";

AggregateSpec spec_of(const char* by, int64_t width_s = 60, int64_t slide_s = 60) {
  AggregateSpec spec;
  spec.by = *parse_dimensions(by);
  spec.stats = *parse_stats(kAllStats);
  spec.width_ns = width_s * kSecond;
  spec.slide_ns = slide_s * kSecond;
  return spec;
}

metrics::Batch batch_of(const std::string& agent, uint64_t sequence, int64_t appended_ns) {
  metrics::Batch batch;
  batch.agent_id = agent;
  batch.hostname = "host-" + agent;
  batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
  batch.sequence = sequence;
  batch.first_unacked = sequence;
  batch.appended_ns = appended_ns;
  batch.send_every_ns = static_cast<uint64_t>(kSecond);
  return batch;
}

metrics::Point real(metrics::SeriesId series, double value) {
  metrics::Point point{.series = series};
  point.real = value;
  return point;
}

// One tick with a gauge for each of two devices, and a counter.
metrics::Batch tick_of(const std::string& agent, uint64_t sequence, int64_t time_ns, double value, double total) {
  metrics::Batch batch = batch_of(agent, sequence, time_ns + 1);
  batch.series = {{.name = "load", .labels = {{"device", "a"}}, .unit = "1"},
                  {.name = "load", .labels = {{"device", "b"}}, .unit = "1"},
                  {.name = "bytes", .labels = {}, .unit = "By", .kind = metrics::Kind::kCounter}};
  batch.frames.push_back({time_ns, 0, {real(0, value), real(1, -value), real(2, total)}});
  return batch;
}

// What a row must say, for a window and a group.
using Place = std::tuple<int64_t, std::string>;
struct Value {
  int64_t time_ns = 0;
  double value = 0;
  std::string series;
  bool counter = false;
};

class Model {
 public:
  explicit Model(const AggregateSpec& spec) : spec_(spec) {}

  void add(const metrics::Batch& batch) {
    for (const metrics::Frame& frame : batch.frames) {
      for (const metrics::Point& point : frame.points) {
        const metrics::Series& series = batch.series[point.series];
        if (!metrics::selects(spec_.metric, series)) continue;
        Group group{.metric = series.name, .unit = series.unit, .columns = {}, .by = {}, .key = {}};
        for (const Dimension& one : spec_.by) {
          if (one.kind == Dimension::Kind::kAgent) group.by.emplace_back("agent", batch.agent_id);
          if (one.kind == Dimension::Kind::kHost) group.by.emplace_back("host", batch.hostname);
          if (one.kind == Dimension::Kind::kLabel) {
            group.by.emplace_back(one.name, metrics::label_value(series.labels, one.name));
          }
          if (one.kind == Dimension::Kind::kLabels)
            group.by.insert(group.by.end(), series.labels.begin(), series.labels.end());
        }
        group.name();
        const int64_t time = frame.time_ns;
        for (int64_t window = floor_to(time, spec_.slide_ns); window + spec_.width_ns > time;
             window -= spec_.slide_ns) {
          windows_[{window, group.key}].push_back({time, batch.value(point), batch.agent_id + metrics::identity(series),
                                                   series.kind == metrics::Kind::kCounter});
        }
      }
    }
  }

  // Compares the newest revision of every row.
  void expect_equal(const std::map<Place, AggregateRow>& rows) const {
    EXPECT_EQ(rows.size(), windows_.size());
    for (const auto& [place, values] : windows_) {
      const auto row = rows.find(place);
      if (row == rows.end()) {
        ADD_FAILURE() << "no row for " << std::get<1>(place) << " at " << (std::get<0>(place) - kStart) / kSecond;
        continue;
      }
      expect_row(row->second, values);
    }
  }

 private:
  static double rate_of(const std::vector<Value>& values) {
    std::map<std::string, std::vector<Value>> by_series;
    for (const Value& one : values) by_series[one.series].push_back(one);
    double sum = std::nan("");
    for (const auto& [name, own] : by_series) {
      if (own.size() < 2) continue;
      double change = own.back().value - own[0].value;
      if (own[0].counter) {
        change = 0;
        for (size_t i = 1; i < own.size(); ++i) {
          change += own[i].value >= own[i - 1].value ? own[i].value - own[i - 1].value : own[i].value;
        }
      }
      const double rate = change / (static_cast<double>(own.back().time_ns - own[0].time_ns) / 1e9);
      sum = std::isnan(sum) ? rate : sum + rate;
    }
    return sum;
  }

  void expect_row(const AggregateRow& row, std::vector<Value> values) const {
    std::ranges::sort(values, {}, [](const Value& v) { return std::tuple(v.time_ns, v.value); });
    std::vector<double> sorted;
    double sum = 0;
    for (const Value& one : values) {
      sorted.push_back(one.value);
      sum += one.value;
    }
    std::ranges::sort(sorted);
    const auto n = static_cast<double>(sorted.size());
    // Of values with the same time, the largest is the first one, too.
    double first = values[0].value;
    for (const Value& one : values) {
      if (one.time_ns == values[0].time_ns) first = std::max(first, one.value);
    }
    const std::map<std::string, double> exact = {
        {"avg", sum / n},  {"min", sorted[0]},     {"max", sorted.back()},        {"sum", sum},
        {"count", n},      {"first", first},       {"last", values.back().value}, {"rate", rate_of(values)},
        {"p0", sorted[0]}, {"p100", sorted.back()}};
    for (size_t i = 0; i < spec_.stats.size(); ++i) {
      const Stat& stat = spec_.stats[i];
      const auto known = exact.find(stat.name);
      if (known != exact.end()) {
        if (std::isnan(known->second)) {
          EXPECT_TRUE(std::isnan(row.values[i])) << stat.name;
        } else {
          EXPECT_NEAR(row.values[i], known->second, 1e-6 * std::max(1.0, std::fabs(known->second)))
              << stat.name << " of " << row.group.key;
        }
        continue;
      }
      const double rank = stat.quantile * (n - 1);
      const auto below = static_cast<size_t>(rank);
      const double part = rank - static_cast<double>(below);
      const double low = sorted[below];
      const double high = sorted[std::min(below + 1, sorted.size() - 1)];
      EXPECT_NEAR(row.values[i], low * (1 - part) + high * part,
                  0.0101 * (std::fabs(low) * (1 - part) + std::fabs(high) * part) + 1e-12)
          << stat.name;
    }
  }

  const AggregateSpec& spec_;
  std::map<Place, std::vector<Value>> windows_;
};

class AggregateTest : public ::testing::Test {
 protected:
  void begin(AggregateSpec spec, int32_t partitions = 1) {
    consumer_.reset();
    reader_.reset();
    spec_ = std::move(spec);
    log_ = std::make_unique<metriclog::MemoryLog>(clock_, metriclog::MemoryLogOptions{.partitions = partitions});
    model_ = std::make_unique<Model>(spec_);
    start();
  }
  // A new process: continues from the group's snapshots.
  void start() {
    consumer_.reset();
    reader_.reset();
    reader_ = log_->reader({.group = "g", .new_group_at_earliest = true});
    registry_ = std::make_unique<telemetry::Registry>();
    view_ = std::make_unique<AggregateView>(spec_, *registry_);
    consumer_ = std::make_unique<Consumer>(*reader_, std::vector<View*>{view_.get()}, *registry_);
  }
  void append(const metrics::Batch& batch) {
    const std::pair<std::string_view, std::string_view> header{"content-type", "application/x-protobuf"};
    log_->writer().append({batch.agent_id, {&header, 1}, metrics::encode_batch(batch)}, ignore_, 1);
  }
  void append_new(const metrics::Batch& batch) {
    append(batch);
    model_->add(batch);
  }
  // Reads what is there, and takes the rows.
  void read() {
    ASSERT_TRUE(consumer_->step(0).ok());
    take();
  }
  void take() {
    for (AggregateRow& row : view_->take_rows()) {
      const Place place{row.start_ns, row.group.key};
      const auto before = rows_.find(place);
      if (before != rows_.end() && row.revision == before->second.revision) ++repeated_;
      if (row.revision > 0) ++corrections_;
      emitted_.push_back(row);
      // As readers must: the highest revision counts, and of equal ones the last.
      if (before == rows_.end() || row.revision >= before->second.revision) rows_[place] = std::move(row);
    }
  }
  // All agents are silent for so long that nothing is waited for.
  void silence(int64_t seconds = 600) {
    read();
    view_->pass(clock_.mono_ns());
    for (int64_t i = 0; i < seconds; i += 10) {
      clock_.advance(10 * kSecond);
      view_->pass(clock_.mono_ns());
    }
    take();
  }

  metriclog::IgnoredDeliveries ignore_;
  FakeClock clock_{kStart};
  AggregateSpec spec_;
  std::unique_ptr<metriclog::MemoryLog> log_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<metriclog::LogReader> reader_;
  std::unique_ptr<telemetry::Registry> registry_;
  std::unique_ptr<AggregateView> view_;
  std::unique_ptr<Consumer> consumer_;
  std::map<Place, AggregateRow> rows_;
  std::vector<AggregateRow> emitted_;
  size_t repeated_ = 0;
  size_t corrections_ = 0;
};

TEST_F(AggregateTest, EmitsAWindowOnceItsLatenessIsOver) {
  begin(spec_of("agent,label"));
  for (uint64_t i = 0; i < 71; ++i) {
    append_new(tick_of("a", i + 1, clock_.wall_ns(), 1 + static_cast<double>(i), 5 * static_cast<double>(i)));
    read();
    EXPECT_TRUE(emitted_.empty()) << i;
    clock_.advance(kSecond);
  }
  append_new(tick_of("a", 72, clock_.wall_ns(), 1, 400));
  read();
  ASSERT_EQ(emitted_.size(), 3U);
  for (const AggregateRow& row : emitted_) {
    EXPECT_EQ(row.start_ns, kStart);
    EXPECT_EQ(row.end_ns, kStart + 60 * kSecond);
    EXPECT_TRUE(row.complete);
    EXPECT_EQ(row.values[4], 60) << "count";
  }
  EXPECT_EQ(row_key(spec_, emitted_[0]), R"(["aggregate","2023-11-14T22:14:00Z",60,"bytes","By",{"agent":"a"}])");
  EXPECT_DOUBLE_EQ(emitted_[0].values[7], 5) << "rate";
  EXPECT_EQ(row_key(spec_, emitted_[1]),
            R"(["aggregate","2023-11-14T22:14:00Z",60,"load","1",{"agent":"a","device":"a"}])");
  silence();
  EXPECT_EQ(corrections_, 0U);
  model_->expect_equal(rows_);
}

TEST_F(AggregateTest, WaitsForTheSlowestAgentButNotForOneThatIsGone) {
  begin(spec_of("agent"));
  uint64_t sequence = 0;
  const auto tick = [&](const char* agent, int64_t behind_s) {
    append_new(tick_of(agent, sequence, clock_.wall_ns() - behind_s * kSecond, 1, 1));
  };
  for (int i = 0; i < 100; ++i) {
    ++sequence;
    tick("fast", 0);
    tick("slow", 20);
    read();
    clock_.advance(kSecond);
  }
  // At 99 s, the slow one has reached 79 s, so the window up to 60 s was due when it reached 70 s. Its own first values
  // are in the window before.
  EXPECT_EQ(emitted_.size(), 2U + 4U);
  EXPECT_EQ(corrections_, 0U);
  for (int i = 0; i < 60; ++i) {  // "slow" is gone now
    ++sequence;
    tick("fast", 0);
    read();
    clock_.advance(kSecond);
  }
  EXPECT_EQ(rows_.count({kStart + 60 * kSecond, R"("load","1",{"agent":"fast"})"}), 1U);
  EXPECT_EQ(corrections_, 0U);
}

TEST_F(AggregateTest, HeartbeatsOfAnIdleAgentMoveTheWindows) {
  begin(spec_of("agent"));
  uint64_t sequence = 0;
  for (int i = 0; i < 100; ++i) {
    append_new(tick_of("busy", static_cast<uint64_t>(i) + 1, clock_.wall_ns(), 1, 1));
    // It was busy for 10 s, and has been told to collect nothing.
    if (i < 10) append_new(tick_of("idle", ++sequence, clock_.wall_ns(), 1, 1));
    if (i >= 10 && i % 10 == 0) append(batch_of("idle", ++sequence, clock_.wall_ns()));
    read();
    clock_.advance(kSecond);
    const bool emitted = !emitted_.empty();
    // The heartbeat at 70 s shows that it has nothing before.
    EXPECT_EQ(emitted, i > 70) << i;
  }
  EXPECT_EQ(emitted_.size(), 4U);
}

TEST_F(AggregateTest, AStoppedAgentIsNotWaitedFor) {
  begin(spec_of("agent"));
  for (uint64_t i = 0; i < 75; ++i) {
    append_new(tick_of("a", i + 1, clock_.wall_ns(), 1, 1));
    if (i < 50) {
      metrics::Batch batch = tick_of("b", i + 1, clock_.wall_ns(), 1, 1);
      batch.final_batch = i == 49;
      append_new(batch);
    }
    read();
    clock_.advance(kSecond);
  }
  EXPECT_EQ(emitted_.size(), 4U);
}

TEST_F(AggregateTest, LateDataCorrectsItsWindowAndLaterDataIsCounted) {
  AggregateSpec spec = spec_of("agent");
  spec.keep_ns = 120 * kSecond;
  spec.metric = "load";
  begin(spec);
  const auto tick = [&](uint64_t sequence, int64_t at_s) {
    return tick_of("a", sequence, kStart + at_s * kSecond, static_cast<double>(sequence), 0);
  };
  for (uint64_t i = 0; i < 75; ++i) {
    if (i != 30 && i != 31) append_new(tick(i + 1, static_cast<int64_t>(i)));
    clock_.advance(kSecond);
    read();
  }
  ASSERT_EQ(emitted_.size(), 1U);
  EXPECT_EQ(emitted_[0].values[4], 2 * 58);
  append_new(tick(31, 30));
  append_new(tick(32, 31));
  for (uint64_t i = 75; i < 95; ++i) {
    append_new(tick(i + 1, static_cast<int64_t>(i)));
    clock_.advance(kSecond);
    read();
  }
  ASSERT_EQ(emitted_.size(), 2U) << "two late batches are one correction";
  EXPECT_EQ(emitted_[1].revision, 1U);
  EXPECT_EQ(row_key(spec_, emitted_[1]), row_key(spec_, emitted_[0]));
  EXPECT_EQ(emitted_[1].values[4], 2 * 60);
  for (uint64_t i = 95; i < 260; ++i) {
    append_new(tick(i + 1, static_cast<int64_t>(i)));
    clock_.advance(kSecond);
    read();
  }
  EXPECT_EQ(view_->left_out().too_late, 0U);
  append(tick(1000, 40));
  read();
  EXPECT_EQ(view_->left_out().too_late, 2U);
  EXPECT_THAT(registry_->text(), ::testing::HasSubstr("monitor_analysis_aggregate_too_late_points_total 2\n"));
  silence();
  model_->expect_equal(rows_);
}

TEST_F(AggregateTest, SlidingWindowsShareTheirValues) {
  begin(spec_of("agent,label", 60, 10));
  for (uint64_t i = 0; i < 200; ++i) {
    append_new(tick_of("a", i + 1, clock_.wall_ns(), 1 + static_cast<double>(i % 17), static_cast<double>(i % 90)));
    clock_.advance(kSecond);
    read();
  }
  silence();
  EXPECT_EQ(corrections_, 0U);
  model_->expect_equal(rows_);
}

TEST_F(AggregateTest, MarksWindowsWithUnreadRecordsAsIncomplete) {
  begin(spec_of("agent"));
  for (uint64_t i = 0; i < 30; ++i) {
    append(tick_of("a", i + 1, clock_.wall_ns(), 1, 1));
    clock_.advance(kSecond);
  }
  reader_ = log_->reader({.start = {.kind = metriclog::StartAt::Kind::kLatest}});
  consumer_ = std::make_unique<Consumer>(*reader_, std::vector<View*>{view_.get()}, *registry_);
  read();
  for (uint64_t i = 30; i < 150; ++i) {
    append(tick_of("a", i + 1, clock_.wall_ns(), 1, 1));
    clock_.advance(kSecond);
    read();
  }
  ASSERT_EQ(emitted_.size(), 4U);
  EXPECT_FALSE(emitted_[0].complete);
  EXPECT_EQ(emitted_[0].values[4], 30);
  EXPECT_TRUE(emitted_[2].complete);
}

TEST_F(AggregateTest, MergesGroupsOverPartitions) {
  begin(spec_of("device"), 4);
  for (uint64_t i = 0; i < 130; ++i) {
    for (int agent = 0; agent < 6; ++agent) {
      append_new(tick_of("agent-" + std::to_string(agent), i + 1, clock_.wall_ns(), 1 + static_cast<double>(agent),
                         static_cast<double>(i)));
    }
    clock_.advance(kSecond);
    read();
  }
  silence();
  EXPECT_EQ(corrections_, 0U);
  model_->expect_equal(rows_);
}

TEST_F(AggregateTest, BoundsSeriesAndCells) {
  AggregateSpec spec = spec_of("agent,label");
  spec.max_series = 2;
  begin(spec);
  append(tick_of("a", 1, clock_.wall_ns(), 1, 1));
  append(tick_of("a", 2, clock_.wall_ns() + kSecond, 1, 1));
  append(tick_of("b", 1, clock_.wall_ns(), 1, 1));
  read();
  EXPECT_EQ(view_->left_out().refused, 2U + 3U);
  EXPECT_THAT(view_->take_refused_names(), ::testing::Contains("a bytes"));
  silence();
  EXPECT_EQ(rows_.size(), 2U);

  spec = spec_of("agent,label");
  spec.max_cells = 1;
  begin(spec);
  rows_.clear();
  append(tick_of("a", 1, clock_.wall_ns(), 1, 1));
  read();
  EXPECT_EQ(view_->left_out().refused, 2U);
  silence();
  EXPECT_EQ(rows_.size(), 1U);
}

TEST_F(AggregateTest, FreesSeriesThatAreGone) {
  AggregateSpec spec = spec_of("agent,label");
  spec.keep_ns = 60 * kSecond;
  spec.max_series = 15;
  begin(spec);
  for (uint64_t i = 0; i < 30; ++i) {  // a new agent each minute
    append_new(tick_of("agent-" + std::to_string(i), 1, clock_.wall_ns(), 1, 1));
    read();
    clock_.advance(60 * kSecond);
  }
  silence();
  EXPECT_EQ(view_->left_out().refused, 0U);
  model_->expect_equal(rows_);
}

TEST_F(AggregateTest, LeavesOutTimesInTheFuture) {
  begin(spec_of("agent"));
  metrics::Batch batch = tick_of("a", 1, clock_.wall_ns(), 1, 1);
  batch.frames[0].time_ns += int64_t{3600} * kSecond;
  append(batch);
  batch.sequence = 2;
  batch.frames[0].time_ns = INT64_MAX;
  append(batch);
  read();
  EXPECT_EQ(view_->left_out().ahead, 6U);
}

TEST_F(AggregateTest, CorrectsTheTimesOfAWrongClock) {
  begin(spec_of("agent"));
  for (uint64_t i = 0; i < 75; ++i) {
    append(tick_of("a", i + 1, clock_.wall_ns() + int64_t{86'400} * kSecond, 1, 1));
    read();
    clock_.advance(kSecond);
  }
  ASSERT_EQ(emitted_.size(), 4U);
  // The batch is closed one nanosecond after its tick, so the first tick is just before the minute.
  EXPECT_EQ(emitted_[0].start_ns, kStart - 60 * kSecond);
  EXPECT_EQ(emitted_[2].start_ns, kStart);
  EXPECT_EQ(emitted_[2].values[4], 60);
}

TEST_F(AggregateTest, RefusesSnapshotsOfOtherWindows) {
  begin(spec_of("agent"));
  append(tick_of("a", 1, clock_.wall_ns(), 1, 1));
  read();
  ASSERT_TRUE(consumer_->store().ok());
  spec_ = spec_of("agent", 30, 30);
  start();
  const auto step = consumer_->step(0);
  ASSERT_FALSE(step.ok());
  EXPECT_EQ(step.error().code(), Code::kDataLoss);
  EXPECT_THAT(step.error().message(), ::testing::HasSubstr("made with --window 1m"));
}

TEST_F(AggregateTest, StopsAfterTheLimitOfWindows) {
  begin(spec_of("agent"));
  view_->limit(2);
  for (uint64_t i = 0; i < 300; ++i) {
    append(tick_of("a", i + 1, clock_.wall_ns(), 1, 1));
    clock_.advance(kSecond);
  }
  read();
  EXPECT_TRUE(view_->reached_limit());
  EXPECT_EQ(emitted_.size(), 4U);
  EXPECT_FALSE(view_->open_rows().empty());
}

// A world of agents that send late, twice, out of order, or not at all.
class RandomWorld {
 public:
  RandomWorld(uint64_t seed, int agents) : random_(seed) {
    for (int i = 0; i < agents; ++i) agents_.push_back({"agent-" + std::to_string(i)});
  }

  // What reaches the log in this second.
  std::vector<metrics::Batch> second(int64_t now_ns) {
    std::vector<metrics::Batch> sent;
    for (Agent& agent : agents_) {
      if (random_.below(400) == 0) agent.away_until_ns = now_ns + static_cast<int64_t>(random_.below(90)) * kSecond;
      if (random_.below(10) == 0) agent.total = 0;  // the counter is reset
      agent.total += static_cast<double>(random_.below(50));
      metrics::Batch batch = tick_of(agent.name, ++agent.sequence, now_ns, std::exp(8 * random_.unit()), agent.total);
      if (random_.below(20) == 0) continue;  // lost
      if (now_ns < agent.away_until_ns || random_.below(15) == 0) {
        agent.waiting.push_back(std::move(batch));
      } else {
        sent.push_back(std::move(batch));
      }
      if (now_ns >= agent.away_until_ns && !agent.waiting.empty() && random_.below(4) == 0) {
        const size_t at = random_.below(agent.waiting.size());
        sent.push_back(std::move(agent.waiting[at]));
        agent.waiting.erase(agent.waiting.begin() + static_cast<std::ptrdiff_t>(at));
      }
    }
    for (size_t i = sent.size(); i > 1; --i) std::swap(sent[i - 1], sent[random_.below(i)]);
    return sent;
  }
  Random& random() { return random_; }

 private:
  struct Agent {
    std::string name;
    uint64_t sequence = 0;
    double total = 0;
    int64_t away_until_ns = 0;
    std::vector<metrics::Batch> waiting = {};
  };
  SeededRandom random_;
  std::vector<Agent> agents_;
};

class AggregateModelTest : public AggregateTest {
 protected:
  void run(uint64_t seed, const char* by, int64_t width_s, int64_t slide_s, int32_t partitions) {
    SCOPED_TRACE(::testing::Message() << "seed " << seed << " by " << by);
    AggregateSpec spec = spec_of(by, width_s, slide_s);
    spec.keep_ns = int64_t{3600} * kSecond;
    rows_.clear();
    begin(spec, partitions);
    RandomWorld world(seed, 5);
    std::vector<metrics::Batch> before;
    for (int i = 0; i < 300; ++i) {
      for (const metrics::Batch& batch : world.second(clock_.wall_ns())) {
        append_new(batch);
        before.push_back(batch);
        if (world.random().below(10) == 0) append(before[world.random().below(before.size())]);  // a copy
      }
      if (world.random().below(3) == 0) read();
      disturb(world.random());
      clock_.advance(kSecond);
    }
    silence();
    model_->expect_equal(rows_);
  }
  virtual void disturb(Random& /*random*/) {}
};

TEST_F(AggregateModelTest, EqualsTheModel) {
  for (uint64_t seed = 0; seed < 12; ++seed) run(seed, "agent,label", 60, 60, 1);
  for (uint64_t seed = 0; seed < 6; ++seed) run(seed, "agent", 60, 20, 2);
  for (uint64_t seed = 0; seed < 6; ++seed) run(seed, "none", 30, 30, 3);
  EXPECT_GT(corrections_, 0U);
  EXPECT_EQ(repeated_, 0U) << "without kills, no row comes twice";
}

class AggregateKillTest : public AggregateModelTest {
 protected:
  // Kills the reader between any two of: reading, emitting, storing.
  void disturb(Random& random) override {
    switch (random.below(6)) {
      case 0:
        start();
        break;
      case 1:
        (void)consumer_->step(0);
        start();  // what was emitted was never printed
        break;
      case 2:
        read();
        start();  // printed, and not stored
        break;
      case 3:
        read();
        ASSERT_TRUE(consumer_->store().ok());
        if (random.below(2) == 0) start();
        break;
      default:
        break;
    }
  }
};

TEST_F(AggregateKillTest, EqualsTheModelThroughKillsAtEveryStep) {
  for (uint64_t seed = 100; seed < 108; ++seed) run(seed, "agent,label", 60, 60, 1);
  for (uint64_t seed = 100; seed < 104; ++seed) run(seed, "label:device,agent", 60, 15, 3);
  for (uint64_t seed = 100; seed < 104; ++seed) run(seed, "device", 30, 30, 3);
  EXPECT_GT(repeated_, 0U);
}

// With one partition, what a row says depends on its key and revision alone.
TEST_F(AggregateKillTest, RepeatedRowsAreTheSame) {
  for (uint64_t seed = 200; seed < 206; ++seed) {
    emitted_.clear();
    run(seed, "agent,label", 60, 60, 1);
    std::map<std::pair<std::string, uint32_t>, std::vector<double>> known;
    for (const AggregateRow& row : emitted_) {
      const auto [it, fresh] = known.try_emplace({row_key(spec_, row), row.revision}, row.values);
      if (fresh) continue;
      for (size_t i = 0; i < row.values.size(); ++i) {
        EXPECT_TRUE(row.values[i] == it->second[i] || (std::isnan(row.values[i]) && std::isnan(it->second[i])))
            << row_key(spec_, row) << " " << spec_.stats[i].name << " revision " << row.revision;
      }
    }
  }
}

// 0 is not written, and must not become "no time".
TEST(AggregateSnapshot, KeepsTimesOfZero) {
  const AggregateSpec spec = spec_of("agent");
  telemetry::Registry registry;
  AggregateView view(spec, registry);
  metriclog::Extent extent;
  extent.next = 1;
  view.fresh(0, extent);
  view.apply({.partition = 0, .offset = 1, .time_ns = 0}, tick_of("a", 1, 0, 1, 1));
  std::string once;
  view.encode(0, once);
  AggregateView again(spec, registry);
  ASSERT_TRUE(again.decode(0, again.version(), once).ok());
  std::string twice;
  again.encode(0, twice);
  EXPECT_EQ(once, twice);
}

TEST_F(AggregateModelTest, SnapshotsRoundTrip) {
  run(7, "agent,label", 60, 20, 1);
  std::string once;
  view_->encode(0, once);
  telemetry::Registry registry;
  AggregateView other(spec_, registry);
  ASSERT_TRUE(other.decode(0, other.version(), once).ok());
  std::string twice;
  other.encode(0, twice);
  EXPECT_EQ(once, twice);
  for (size_t size = 0; size < once.size(); size += 97) {
    AggregateView cut(spec_, registry);
    (void)cut.decode(0, cut.version(), std::string_view(once).substr(0, size));
  }
  EXPECT_FALSE(other.decode(0, other.version(), once.substr(0, once.size() - 1)).ok());
}

}  // namespace
}  // namespace monitor::analysis
