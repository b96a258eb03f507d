// The loop of get-metrics, and its output.
#include "ui/print/get_metrics.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>

#include "base/testing/fake_clock.h"
#include "base/time_format.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metriclog/testing/timed_reader.h"
#include "metrics/encode.h"
#include "ui/print/sample_test.h"

namespace monitor::analysis {
namespace {

using ::testing::HasSubstr;

class GetMetrics : public ::testing::Test {
 protected:
  void append(const metrics::Batch& batch) {
    const std::pair<std::string_view, std::string_view> header{"content-type", "application/x-protobuf"};
    log_.writer().append({batch.agent_id, {&header, 1}, metrics::encode_batch(batch)}, ignore_, 1);
  }
  Result<GetMetricsSummary> run(GetMetricsOptions options, Output& output, const std::string& group = "") {
    options.print.format = Format::kCsv;
    options.print.metric = "system.memory.limit";
    if (!options.timeout_ns) options.timeout_ns = 5 * kNanosPerSecond;
    telemetry::Registry registry;
    metriclog::TimedReader reader(log_.reader({.group = group,
                                               .start = {.kind = group.empty() ? metriclog::StartAt::Kind::kEarliest
                                                                               : metriclog::StartAt::Kind::kStored}}),
                                  clock_);
    return run_get_metrics(options, reader, output, clock_, registry, stop_);
  }
  static size_t lines(const StringOutput& output) {
    return static_cast<size_t>(std::ranges::count(output.text(), '\n'));
  }

  FakeClock clock_{kTime};
  metriclog::MemoryLog log_{clock_};
  metriclog::IgnoredDeliveries ignore_;
  std::atomic<bool> stop_{false};
};

TEST_F(GetMetrics, PrintsStoredTicksAndEndsWithTheTimeout) {
  append(sample("a", 1));
  append(sample("a", 1));
  append(sample("b", 1));
  StringOutput output;
  const auto summary = run({}, output);
  ASSERT_TRUE(summary.ok());
  EXPECT_EQ(summary->ticks, 2U);
  EXPECT_EQ(summary->duplicates, 1U);
  EXPECT_EQ(lines(output), 3U);
}

TEST_F(GetMetrics, SelectsAgentsAndCountsTicks) {
  for (uint64_t i = 1; i <= 5; ++i) append(sample("a", i));
  append(sample("b", 1));
  StringOutput all;
  EXPECT_EQ(run({.agent = "b"}, all)->ticks, 1U);
  StringOutput some;
  EXPECT_EQ(run({.count = 3}, some)->ticks, 3U);
}

TEST_F(GetMetrics, GroupContinuesAfterItsCount) {
  StringOutput output;
  run({}, output, "g").ok();
  for (uint64_t i = 1; i <= 5; ++i) append(sample("a", i));
  EXPECT_EQ(run({.count = 3}, output, "g")->ticks, 3U);
  EXPECT_EQ(run({}, output, "g")->ticks, 2U);
  EXPECT_EQ(run({}, output, "g")->ticks, 0U);
}

// One tick in three batches, followed by the next tick.
class GetMetricsParts : public GetMetrics {
 protected:
  void part(uint64_t sequence, bool continued, int64_t tick = 0) {
    metrics::Batch batch = sample("a", sequence);
    batch.frames[0].continued = continued;
    batch.frames[0].time_ns += tick * kNanosPerSecond;
    append(batch);
  }
  // The same, without the series that the tests select.
  void part_of_others(const std::string& agent) {
    metrics::Batch batch = sample(agent, 1);
    batch.frames[0].points.resize(1);
    batch.series.resize(1);
    append(batch);
  }
};

TEST_F(GetMetricsParts, CountAsOneTickAcrossBatchesAndOtherAgents) {
  part(1, false);
  append(sample("b", 1));
  part(2, true);
  part(3, true);
  part(4, false, 1);
  part(5, true, 1);
  StringOutput output;
  EXPECT_EQ(run({.agent = "a", .count = 2}, output)->ticks, 2U);
  EXPECT_EQ(lines(output), 1U + 5U) << output.text();
  StringOutput all;
  EXPECT_EQ(run({}, all)->ticks, 3U);
  EXPECT_EQ(lines(all), 1U + 6U);
}

TEST_F(GetMetricsParts, CountByTheFirstPartThatIsPrinted) {
  for (const char* agent : {"c", "d"}) {
    part_of_others(agent);
    for (uint64_t sequence : {2, 3}) {
      metrics::Batch batch = sample(agent, sequence);
      batch.frames[0].continued = true;
      append(batch);
    }
  }
  StringOutput output;
  const auto summary = run({.count = 2}, output);
  EXPECT_EQ(summary->ticks, 2U);
  EXPECT_EQ(lines(output), 1U + 4U) << output.text();
}

TEST_F(GetMetrics, MarksLateTicks) {
  metrics::Batch batch = sample("a", 1);
  batch.appended_ns += 4 * kNanosPerSecond;
  append(batch);
  StringOutput output;
  EXPECT_EQ(run({}, output)->late, 1U);
}

// A log that cannot be reached.
class AwayReader final : public metriclog::LogReader {
 public:
  explicit AwayReader(FakeClock& clock) : clock_(clock) {}
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t timeout_ns) override {
    clock_.advance(timeout_ns);
    return std::vector<metriclog::ReaderEvent>{
        {.kind = metriclog::ReaderEvent::Kind::kTrouble, .text = "broker is away"}};
  }
  Status store(std::span<const metriclog::Snapshot> /*snapshots*/) override { return {}; }
  void wake() override {}

 private:
  FakeClock& clock_;
};

TEST_F(GetMetrics, ReportsAnUnreachableLog) {
  AwayReader reader(clock_);
  StringOutput output;
  telemetry::Registry registry;
  const auto summary =
      run_get_metrics({.print = {}, .timeout_ns = 3 * kNanosPerSecond}, reader, output, clock_, registry, stop_);
  ASSERT_FALSE(summary.ok());
  EXPECT_EQ(summary.error().code(), Code::kUnavailable);
  EXPECT_EQ(summary.error().message(), "the log could not be reached for 3s") << "the consumer has logged why";
}

TEST_F(GetMetrics, ClosedPipeEndsQuietlyAndStoresNoPosition) {
  signal(SIGPIPE, SIG_IGN);
  StringOutput ignored;
  run({}, ignored, "g").ok();
  append(sample("a", 1));
  std::array<int, 2> ends{};
  ASSERT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
  close(ends[0]);
  FdOutput output(ends[1], stop_);
  EXPECT_TRUE(run({}, output, "g").ok());
  close(ends[1]);
  StringOutput again;
  EXPECT_EQ(run({}, again, "g")->ticks, 1U);
}

TEST_F(GetMetrics, StopsOnRequest) {
  append(sample("a", 1));
  stop_ = true;
  StringOutput output;
  EXPECT_EQ(run({}, output)->ticks, 0U);
}

// A batch whose texts attack the terminal that prints them.

}  // namespace
}  // namespace monitor::analysis
