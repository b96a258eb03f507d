#include "ui/aggregate/run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"
#include "base/text.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"
#include "ui/aggregate/format.h"

namespace monitor::analysis {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kSecond = kNanosPerSecond;
constexpr int64_t kStart = 1'700'000'040 * kSecond;  // a whole minute

// A reader whose polls advance the fake clock instead of waiting, and that can do something between polls.
class PassingReader final : public metriclog::LogReader {
 public:
  PassingReader(std::unique_ptr<metriclog::LogReader> reader, FakeClock& clock, std::function<void()> on_poll)
      : reader_(std::move(reader)), clock_(clock), on_poll_(std::move(on_poll)) {}
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t timeout_ns) override {
    if (on_poll_) on_poll_();
    auto events = reader_->poll(0);
    if (events.ok() && events->empty()) clock_.advance(timeout_ns);
    return events;
  }
  Status store(std::span<const metriclog::Snapshot> snapshots) override { return reader_->store(snapshots); }
  void wake() override {}

 private:
  std::unique_ptr<metriclog::LogReader> reader_;
  FakeClock& clock_;
  std::function<void()> on_poll_;
};

class AggregateRunTest : public ::testing::Test {
 protected:
  AggregateRunTest() : log_(clock_), rows_log_(clock_) {
    options_.spec.by = *parse_dimensions("agent");
    options_.spec.stats = *parse_stats("avg,count");
    options_.format = Format::kJson;
  }

  // One tick a second from an agent.
  void append(int seconds, const std::string& agent = "a") {
    for (int i = 0; i < seconds; ++i) {
      metrics::Batch batch;
      batch.agent_id = agent;
      batch.hostname = "h";
      batch.incarnation = std::string(metrics::kIncarnationBytes, 'i');
      batch.sequence = ++sequence_;
      batch.first_unacked = batch.sequence;
      batch.appended_ns = clock_.wall_ns();
      batch.series = {{.name = "load", .labels = {}, .unit = "1"}};
      metrics::Point point;
      point.real = 2;
      batch.frames.push_back({clock_.wall_ns(), 0, {point}});
      const std::pair<std::string_view, std::string_view> header{"content-type", "application/x-protobuf"};
      log_.writer().append({batch.agent_id, {&header, 1}, metrics::encode_batch(batch)}, ignore_, 1);
      clock_.advance(kSecond);
    }
  }

  Result<AggregateSummary> run() {
    PassingReader reader(log_.reader({.group = options_.group ? "g" : "",
                                      .start = {.kind = options_.group ? metriclog::StartAt::Kind::kStored
                                                                       : metriclog::StartAt::Kind::kEarliest},
                                      .new_group_at_earliest = options_.group}),
                         clock_, on_poll_);
    telemetry::Registry registry;
    StringOutput output;
    auto summary = run_aggregate(options_, reader, output, clock_, registry, stop_);
    text_ = output.text();
    return summary;
  }
  std::vector<nlohmann::json> lines() const {
    std::vector<nlohmann::json> result;
    for (const std::string_view line : split(text_, '\n')) {
      if (!line.empty()) result.push_back(nlohmann::json::parse(line));
    }
    return result;
  }

  metriclog::IgnoredDeliveries ignore_;
  FakeClock clock_{kStart};
  metriclog::MemoryLog log_;
  metriclog::MemoryLog rows_log_;
  uint64_t sequence_ = 0;
  AggregateOptions options_;
  std::function<void()> on_poll_;
  std::atomic<bool> stop_ = false;
  std::string text_;
};

TEST_F(AggregateRunTest, OncePrintsWindowsAndWhatIsOpen) {
  append(150);
  options_.once = true;
  const auto summary = run();
  ASSERT_TRUE(summary.ok()) << summary.error().message();
  ASSERT_EQ(lines().size(), 3U);
  EXPECT_EQ(lines()[0]["start"], "2023-11-14T22:14:00Z");
  EXPECT_EQ(lines()[0]["end"], "2023-11-14T22:15:00Z");
  EXPECT_EQ(lines()[0]["by"], nlohmann::json({{"agent", "a"}}));
  EXPECT_EQ(lines()[0]["stats"], nlohmann::json({{"avg", 2}, {"count", 60}}));
  EXPECT_EQ(lines()[0]["revision"], 0);
  EXPECT_EQ(lines()[1]["complete"], true);
  EXPECT_EQ(lines()[2]["complete"], false);
  EXPECT_EQ(lines()[2]["stats"]["count"], 30);
}

TEST_F(AggregateRunTest, CountsWindows) {
  append(300);
  options_.count = 2;
  ASSERT_TRUE(run().ok());
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[1]["start"], "2023-11-14T22:15:00Z");
}

TEST_F(AggregateRunTest, ASilentLogEndsItsWindows) {
  append(70);
  options_.count = 2;
  const auto summary = run();
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->rows, 2U);
  EXPECT_EQ(lines()[1]["stats"]["count"], 10);
  EXPECT_EQ(lines()[1]["complete"], true);
}

TEST_F(AggregateRunTest, AnUnreachableLogEndsNoWindow) {
  append(65);
  options_.timeout_ns = 3600 * kSecond;
  int polls = 0;
  on_poll_ = [&] {
    if (++polls == 3) log_.set_trouble("broker is away");
  };
  ASSERT_TRUE(run().ok());
  ASSERT_FALSE(lines().empty());
  for (const auto& line : lines()) EXPECT_EQ(line["complete"], false) << line;
}

TEST_F(AggregateRunTest, StoppingPrintsOpenWindows) {
  append(70);
  int polls = 0;
  on_poll_ = [&] {
    if (++polls == 3) stop_ = true;
  };
  ASSERT_TRUE(run().ok());
  ASSERT_EQ(lines().size(), 2U);
  EXPECT_EQ(lines()[0]["complete"], false);
}

TEST_F(AggregateRunTest, AGroupKeepsOpenWindows) {
  append(30);
  options_.group = true;
  options_.timeout_ns = 5 * kSecond;
  ASSERT_TRUE(run().ok());
  EXPECT_TRUE(lines().empty());
  append(60);
  options_.timeout_ns = {};
  options_.count = 1;
  ASSERT_TRUE(run().ok());
  ASSERT_EQ(lines().size(), 1U);
  EXPECT_EQ(lines()[0]["start"], "2023-11-14T22:14:00Z");
}

TEST_F(AggregateRunTest, AppendsRowsToALogUntilTheyAreStored) {
  append(150);
  options_.once = true;
  options_.group = true;
  options_.output = &rows_log_.writer();
  rows_log_.refuse_next(1, metriclog::Outcome::kRetry, "not now");
  const auto summary = run();
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(text_, "");
  EXPECT_EQ(summary->rows, 2U);
  const auto records = rows_log_.records(0);
  ASSERT_EQ(records.size(), 2U) << "open windows stay in the group";
  std::vector<std::string> keys;
  for (const auto& record : records) {
    keys.push_back(record.key);
    EXPECT_EQ(record.header("content-type"), "application/json");
    EXPECT_EQ(record.header("revision"), "0");
    EXPECT_EQ(nlohmann::json::parse(record.value)["stats"]["count"], 60);
  }
  EXPECT_THAT(keys,
              ::testing::UnorderedElementsAre(R"(["aggregate","2023-11-14T22:14:00Z",60,"load","1",{"agent":"a"}])",
                                              R"(["aggregate","2023-11-14T22:15:00Z",60,"load","1",{"agent":"a"}])"));
}

TEST_F(AggregateRunTest, RowsOfAllAgentsNeedAllPartitions) {
  append(10);
  options_.spec.by.clear();
  options_.group = true;
  options_.partitions = [] { return Result<size_t>(size_t{2}); };
  const auto summary = run();
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code(), Code::kAborted);
  EXPECT_THAT(summary.error().message(), HasSubstr("add agent to --by"));
}

class UnreachableReader final : public metriclog::LogReader {
 public:
  explicit UnreachableReader(FakeClock& clock) : clock_(clock) {}
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t timeout_ns) override {
    clock_.advance(timeout_ns);
    metriclog::ReaderEvent event{.kind = metriclog::ReaderEvent::Kind::kTrouble, .text = "broker is away"};
    return std::vector<metriclog::ReaderEvent>{event};
  }
  Status store(std::span<const metriclog::Snapshot> /*snapshots*/) override { return {}; }
  void wake() override {}

 private:
  FakeClock& clock_;
};

TEST_F(AggregateRunTest, OnceFailsIfTheLogCannotBeReached) {
  options_.once = true;
  UnreachableReader reader(clock_);
  telemetry::Registry registry;
  StringOutput output;
  const auto summary = run_aggregate(options_, reader, output, clock_, registry, stop_);
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code(), Code::kUnavailable);
  EXPECT_THAT(summary.error().message(), HasSubstr("could not be reached for 10s: broker is away"));
}

AggregateRow row_of(const char* agent, std::vector<double> values) {
  AggregateRow row{.start_ns = kStart, .end_ns = kStart + 60 * kSecond, .group = {}, .values = std::move(values)};
  row.group.metric = "load";
  row.group.unit = "By";
  row.group.columns = {agent};
  row.group.by = {{"agent", agent}};
  row.group.name();
  return row;
}

TEST(RowPrinter, PrintsTablesAndCsv) {
  AggregateSpec spec;
  spec.by = *parse_dimensions("agent");
  spec.stats = *parse_stats("avg,rate");
  std::vector<AggregateRow> rows = {row_of("a", {0.125, std::nan("")}), row_of("a-long-name", {-3, 7e9})};
  rows[1].revision = 2;
  rows[1].complete = false;
  EXPECT_EQ(RowPrinter(spec, Format::kTable, 0).print(rows),
            "WINDOW                AGENT        METRIC       AVG   RATE  NOTE\n"
            "2023-11-14T22:14:00Z  a            load (By)  0.125      -\n"
            "2023-11-14T22:14:00Z  a-long-name  load (By)     -3  7e+09  correction 2, incomplete\n");
  RowPrinter csv(spec, Format::kCsv, 0);
  EXPECT_EQ(csv.print(rows),
            "start,end,metric,unit,agent,revision,complete,avg,rate\n"
            "2023-11-14T22:14:00Z,2023-11-14T22:15:00Z,load,By,a,0,true,0.125,\n"
            "2023-11-14T22:14:00Z,2023-11-14T22:15:00Z,load,By,a-long-name,2,false,-3,7e+09\n");
  EXPECT_THAT(csv.print(rows), StartsWith("2023-11-14T22:14:00Z,")) << "the header comes once";
}

TEST(RowPrinter, EscapesNames) {
  AggregateSpec spec;
  spec.by = *parse_dimensions("agent");
  spec.stats = *parse_stats("avg");
  const std::vector<AggregateRow> rows = {row_of("\x1b[31m", {1})};
  EXPECT_THAT(RowPrinter(spec, Format::kTable, 0).print(rows), ::testing::Not(HasSubstr("\x1b")));
  EXPECT_EQ(nlohmann::json::parse(RowPrinter(spec, Format::kJson, 0).print(rows))["by"]["agent"], "\x1b[31m");
}

}  // namespace
}  // namespace monitor::analysis
