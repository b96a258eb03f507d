#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <limits>

#include "base/testing/fake_clock.h"
#include "base/time_format.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/encode.h"
#include "metrics/resource.h"
#include "ui/print/get_metrics.h"

namespace monitor::analysis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr int64_t kTime = 1'795'348'800'123'456'789;  // 2026-11-22T12:00:00.123456789Z

void add(metrics::Batch& batch, metrics::Frame& frame, metrics::Series series, double value) {
  metrics::Point point;
  point.series = static_cast<metrics::SeriesId>(batch.series.size());
  point.real = value;
  if (series.integer) point.integer = static_cast<int64_t>(value);
  batch.series.push_back(std::move(series));
  frame.points.push_back(point);
}

metrics::Batch sample(const std::string& agent = "agent-001", uint64_t sequence = 7) {
  metrics::Batch batch;
  batch.agent_id = agent;
  batch.hostname = "h";
  batch.incarnation = std::string(metrics::kIncarnationBytes, '\x11');
  batch.sequence = sequence;
  batch.config_revision = 42;
  batch.appended_ns = kTime;
  batch.send_every_ns = kNanosPerSecond;
  metrics::Frame frame{.time_ns = kTime};
  constexpr double kMega = 1024 * 1024;
  add(batch, frame, {.name = "system.cpu.utilization", .labels = {}, .unit = "1"}, 0.1234);
  add(batch, frame, {.name = "system.cpu.utilization", .labels = {{"cpu.logical_number", "0"}}, .unit = "1"}, 0.99);
  add(batch, frame, {.name = "system.memory.utilization", .labels = {}, .unit = "1"}, 0.41);
  add(batch, frame,
      {.name = "system.memory.usage", .labels = {{"system.memory.state", "used"}}, .unit = "By", .integer = true},
      9830 * kMega);
  add(batch, frame, {.name = "system.memory.limit", .labels = {}, .unit = "By", .integer = true}, 23950 * kMega);
  add(batch, frame, {.name = "system.disk.io.rate", .labels = {{"disk.io.direction", "read"}}, .unit = "By/s"},
      1.5 * kMega);
  add(batch, frame, {.name = "system.network.io.rate", .labels = {{"network.io.direction", "receive"}}, .unit = "By/s"},
      std::numeric_limits<double>::quiet_NaN());
  batch.frames.push_back(frame);
  return batch;
}

TEST(Table, PrintsOneRowPerTickInCommonUnits) {
  const auto printer = make_printer({});
  EXPECT_EQ(
      printer->tick(sample(), 0, false),
      "TIME (UTC)               AGENT          CPU %   MEM %  MEM USED / TOTAL MB  DISK R MB/s  DISK W MB/s  NET "
      "IN MB/s  NET OUT MB/s\n"
      "2026-11-22 12:00:00.123  agent-001       12.3    41.0       9,830 / 23,950         1.50            -       "
      "     -             -\n");
  EXPECT_THAT(printer->tick(sample(), 0, true), ::testing::EndsWith("-  late\n"));
}

TEST(Table, RepeatsTheHeaderIfConfiguredOrIfAColumnGrows) {
  const auto printer = make_printer({.header_every = 2});
  const auto has_header = [](const std::string& text) { return text.starts_with("TIME"); };
  EXPECT_TRUE(has_header(printer->tick(sample(), 0, false)));
  EXPECT_FALSE(has_header(printer->tick(sample(), 0, false)));
  EXPECT_TRUE(has_header(printer->tick(sample(), 0, false)));
  EXPECT_TRUE(has_header(printer->tick(sample("a-rather-long-agent-id"), 0, false)));
}

// Without colours and newlines.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines(1);
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\x1b') {
      i = text.find('m', i);
    } else if (text[i] == '\n') {
      lines.emplace_back();
    } else {
      lines.back() += text[i];
    }
  }
  lines.pop_back();
  return lines;
}

TEST(Table, FitsIntoTheTerminalAndAlignsItsColumns) {
  metrics::Batch batch = sample();
  batch.resource = {{"rack", "r12"}, {"site", "somewhere-far-away"}};
  for (const std::string& agent : {std::string("a"), std::string("agent-001"), std::string(40, 'x')}) {
    batch.agent_id = agent;
    for (size_t columns = 30; columns <= 250; ++columns) {
      for (const bool late : {false, true}) {
        const auto lines =
            lines_of(make_printer({.colour = true, .columns = [columns] { return columns; }})->tick(batch, 0, late));
        ASSERT_EQ(lines.size(), 2U);
        EXPECT_LE(lines[0].size(), columns);
        EXPECT_LE(lines[1].size(), columns) << lines[1];
        // The last digit of a value is below the last letter of its heading.
        const size_t cpu = lines[0].find("CPU %") + 4;
        EXPECT_EQ(lines[1].substr(cpu - 3, 4), "12.3") << columns << "\n" << lines[0] << "\n" << lines[1];
        if (late && columns >= 78 && agent.size() <= 12) {
          EXPECT_THAT(lines[1], HasSubstr(" late"));
        }
      }
    }
  }
}

TEST(Table, KeepsWhatMattersMostInANarrowTerminal) {
  const auto header = [](size_t columns) {
    return lines_of(make_printer({.columns = [columns] { return columns; }})->tick(sample(), 0, false)).front();
  };
  EXPECT_THAT(header(140), StartsWith("TIME (UTC)               AGENT          CPU %   MEM %  MEM USED / TOTAL MB"));
  EXPECT_THAT(header(120), HasSubstr("MEM USED / TOTAL MB  DISK R MB/s"));
  EXPECT_EQ(header(80), "TIME (UTC)     AGENT         CPU %  MEM %  RD MB/s  WR MB/s  IN MB/s  OUT MB/s");
  EXPECT_EQ(header(40), "UTC       AGENT         CPU %  MEM %");
}

TEST(Table, FollowsTheTerminalsWidth) {
  size_t columns = 140;
  const auto printer = make_printer({.columns = [&columns] { return columns; }});
  EXPECT_EQ(lines_of(printer->tick(sample(), 0, false)).size(), 2U);
  EXPECT_EQ(lines_of(printer->tick(sample(), 0, false)).size(), 1U);
  columns = 80;
  EXPECT_THAT(printer->tick(sample(), 0, false), StartsWith("TIME (UTC)     AGENT")) << "the header again";
}

TEST(Table, ContinuesSelectedSeriesBelowTheFirst) {
  for (const size_t columns : {size_t{20}, size_t{40}, size_t{80}, size_t{120}}) {
    const auto printer = make_printer({.metric = "system", .columns = [columns] { return columns; }});
    const auto lines = lines_of(printer->tick(sample(), 0, false));
    ASSERT_GT(lines.size(), 3U);
    std::string all;
    for (const std::string& line : lines) {
      EXPECT_LE(line.size(), std::max<size_t>(columns, 33)) << line;
      all += line.substr(std::min(line.find_first_not_of(' '), line.size()));
    }
    EXPECT_THAT(all, HasSubstr("system.network.io.rate{network.io.direction=receive}=-")) << "nothing is cut off";
  }
}

TEST(Table, PaintsSharesByThreshold) {
  metrics::Batch batch = sample();
  batch.frames[0].points[2].real = 0.75;
  const auto row = make_printer({.colour = true, .columns = [] { return size_t{80}; }})->tick(batch, 0, false);
  EXPECT_THAT(row, HasSubstr(" 12.3  \x1b[33m 75.0\x1b[0m")) << row;
}

TEST(Table, ColoursOnlyIfConfigured) {
  metrics::Batch batch = sample();
  batch.frames[0].points[0].real = 0.95;
  EXPECT_THAT(make_printer({.colour = true})->tick(batch, 0, false), HasSubstr("\x1b[31m  95.0\x1b[0m"));
  EXPECT_EQ(make_printer({})->tick(batch, 0, false).find('\x1b'), std::string::npos);
}

TEST(Table, PrintsTheSeriesThatAPatternSelects) {
  const auto printer = make_printer({.metric = "system.cpu.*"});
  EXPECT_THAT(printer->tick(sample(), 0, false),
              HasSubstr("system.cpu.utilization=0.1234  system.cpu.utilization{cpu.logical_number=0}=0.99\n"));
  EXPECT_EQ(make_printer({.metric = "none"})->tick(sample(), 0, false), "");
}

TEST(Json, PrintsOneObjectPerLine) {
  const std::string text = make_printer({.format = Format::kJson})->tick(sample(), 0, true);
  EXPECT_THAT(text, StartsWith(R"({"time":"2026-11-22T12:00:00.123456789Z","agent":"agent-001","host":"h",)"
                               R"("incarnation":"11111111111111111111111111111111","sequence":7,"frame":0,)"
                               R"("config_revision":42,"late":true,"metrics":[)"));
  EXPECT_THAT(text, HasSubstr("\"value\":null"));
  EXPECT_EQ(text.back(), '\n');
  const auto one = make_printer({.format = Format::kJson, .metric = "*{cpu.logical_number=0}"});
  EXPECT_THAT(one->tick(sample(), 0, false), HasSubstr(R"("metrics":[{"name":"system.cpu.utilization","unit":"1",)"
                                                       R"("labels":{"cpu.logical_number":"0"},"value":0.99}]})"));
  EXPECT_EQ(make_printer({.format = Format::kJson, .metric = "none"})->tick(sample(), 0, false), "");
}

TEST(Csv, PrintsOneRowPerValueAndQuotes) {
  metrics::Batch batch = sample();
  batch.series[0].labels = {{"a", "x,y"}, {"b", "q\"q"}};
  batch.frames[0].points.resize(1);
  const auto printer = make_printer({.format = Format::kCsv});
  EXPECT_EQ(printer->tick(batch, 0, false),
            "time,agent,metric,labels,unit,value\n"
            "2026-11-22T12:00:00.123456789Z,agent-001,system.cpu.utilization,\"a=x,y;b=q\"\"q\",1,0.1234\n");
  EXPECT_THAT(printer->tick(batch, 0, false), StartsWith("2026"));
  batch.frames[0].points[0].real = std::numeric_limits<double>::infinity();
  EXPECT_THAT(printer->tick(batch, 0, false), ::testing::EndsWith(",1,\n"));
}

class Ignore final : public metriclog::DeliveryListener {
  void on_delivered(std::span<const metriclog::Delivery> /*deliveries*/) override {}
  void on_reset() override {}
};

// A reader for which time passes: each poll that finds nothing advances the clock by its timeout.
class TimedReader final : public metriclog::LogReader {
 public:
  TimedReader(std::unique_ptr<LogReader> inner, FakeClock& clock) : inner_(std::move(inner)), clock_(clock) {}
  Result<std::vector<metriclog::ReaderEvent>> poll(int64_t timeout_ns) override {
    auto events = inner_->poll(0);
    if (events.ok() && events->empty()) clock_.advance(timeout_ns);
    return events;
  }
  Status store(std::span<const metriclog::Snapshot> snapshots) override { return inner_->store(snapshots); }
  void wake() override { inner_->wake(); }

 private:
  std::unique_ptr<LogReader> inner_;
  FakeClock& clock_;
};

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
    TimedReader reader(log_.reader({.group = group,
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
  Ignore ignore_;
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
metrics::Batch hostile() {
  metrics::Batch batch = sample(
      "a\x1b[2Jb\xc2\x9b"
      "1m\nforged\r");
  batch.resource = {{"rack\x1b]0;x\x07",
                     "r\xe2\x80\xae"
                     "12"}};
  batch.series[0].labels = {{"dev\x1b", "=cmd|'/C calc'!A0\n\x7f"}};
  batch.series[0].name = "m\x1b[31m";
  batch.series[0].unit = "+1\x1b";
  metrics::carry_resource(batch);
  return batch;
}

// True if the text contains control characters other than newlines.
bool acts_on_terminals(const std::string& text) {
  return text.find_first_of(std::string("\0\x1b\x07\r\t\x7f", 6)) != std::string::npos ||
         text.find("\xc2\x9b") != std::string::npos || text.find("\xe2\x80\xae") != std::string::npos;
}

TEST(Printers, EscapeEverythingThatControlsATerminal) {
  for (const Format format : {Format::kTable, Format::kCsv, Format::kJson}) {
    for (const char* const metric : {"", "m*"}) {
      const std::string text = make_printer({.format = format, .metric = metric})->tick(hostile(), 0, false);
      EXPECT_FALSE(text.empty());
      EXPECT_FALSE(acts_on_terminals(text)) << text;
      EXPECT_TRUE(format != Format::kTable || std::ranges::count(text, '\n') == 2) << text;
    }
  }
}

TEST(Csv, DisarmsFormulasAndSeparatesLabels) {
  metrics::Batch batch = sample("-a");
  batch.series[0].name = "=1+1";
  batch.series[0].labels = {{"a", "x;b=y"}, {"c", "d\\e"}};
  batch.frames[0].points.resize(1);
  EXPECT_THAT(make_printer({.format = Format::kCsv})->tick(batch, 0, false),
              HasSubstr(",'-a,'=1+1,a=x\\;b=y;c=d\\\\e,1,0.1234\n"));
}

TEST(Table, AddsAColumnOnceAnAgentHasConfiguredLabels) {
  const auto printer = make_printer({});
  EXPECT_EQ(printer->tick(sample(), 0, false).find("LABELS"), std::string::npos);
  metrics::Batch labelled = sample();
  labelled.resource = {{"rack", "r12"}, {"site", "eu-1"}};
  metrics::carry_resource(labelled);
  EXPECT_THAT(printer->tick(labelled, 0, false), HasSubstr("NET OUT MB/s  LABELS\n2026"));
  EXPECT_THAT(printer->tick(labelled, 0, true), ::testing::EndsWith("-  rack=r12,site=eu-1  late\n"));
  EXPECT_THAT(printer->tick(sample(), 0, false), ::testing::EndsWith("-  -\n"));
}

}  // namespace
}  // namespace monitor::analysis
