#include "views/history/series_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "base/testing/fake_clock.h"
#include "consume/consumer.h"
#include "metriclog/testing/deliveries.h"
#include "metriclog/testing/memory_log.h"
#include "metrics/json_form.h"
#include "query/evaluator.h"
#include "query/parser.h"
#include "views/history/store.h"

namespace monitor::analysis::history {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Two agents that report CPU and disk once a second for ten seconds, in a history.
class SeriesSourceTest : public ::testing::Test {
 protected:
  SeriesSourceTest() : folder_(std::filesystem::path(testing::TempDir()) / ("series-" + std::to_string(getpid()))) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~SeriesSourceTest() override { std::filesystem::remove_all(folder_); }

  void SetUp() override {
    start_ms_ = clock_.wall_ns() / 1'000'000;
    append("web-1", 1000);
    append("web-2", 5000);
    auto store = HistoryStore::open({.path = path(), .clock_start = TrustedClock::Start::kTrust}, clock_, registry_);
    ASSERT_TRUE(store) << store.error().message();
    const auto log_reader = log_.reader({.snapshots = store->get(), .new_group_at_earliest = true});
    Consumer consumer(*log_reader, std::vector<View*>{store->get()}, registry_);
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(consumer.step(0));
    ASSERT_TRUE(consumer.store());
    auto reader = HistoryReader::open(path());
    ASSERT_TRUE(reader) << reader.error().message();
    reader_ = std::move(*reader);
  }

  std::string path() const { return folder_ / "history.db"; }

  // cpu: the values first, first + 1 ... in ten-thousandths. disk: 100 bytes more every second.
  void append(const std::string& agent, int64_t first) {
    metrics::Batch batch;
    batch.agent_id = agent;
    batch.hostname = "host-of-" + agent;
    batch.incarnation = std::string(16, 'i');
    batch.sequence = 1;
    batch.appended_ns = clock_.wall_ns();
    batch.send_every_ns = kNanosPerSecond;
    batch.series = {{.name = "system.cpu.utilization", .labels = {}, .unit = "1", .integer = true, .exponent = -4},
                    {.name = "system.disk.io",
                     .labels = {{"disk.io.direction", "read"}},
                     .unit = "By",
                     .kind = metrics::Kind::kCounter,
                     .integer = true}};
    for (int64_t i = 0; i < 10; ++i) {
      metrics::Point cpu{.series = 0};
      cpu.integer = first + i;
      metrics::Point disk{.series = 1};
      disk.integer = 100 * i;
      batch.frames.push_back(
          {.time_ns = clock_.wall_ns() + (i - 9) * kNanosPerSecond, .rates_since_ns = 0, .points = {cpu, disk}});
    }
    const std::string text = metrics::batch_to_json(batch);
    const std::vector<std::pair<std::string_view, std::string_view>> headers = {{"content-type", "application/json"}};
    ASSERT_EQ(log_.writer().append({agent, headers, text}, deliveries_, ++token_),
              metriclog::LogWriter::Accepted::kYes);
  }

  // Each series of the result with its value now, as "SERIES VALUE".
  std::vector<std::string> ask(const std::string& query) {
    const auto expression = query::parse(query);
    EXPECT_TRUE(expression) << expression.error().message();
    HistorySource source(*reader_);
    const auto result = query::evaluate(**expression, source, {.start_ms = start_ms_, .end_ms = start_ms_});
    if (!result) return {result.error().message()};
    std::vector<std::string> lines;
    for (const auto& series : result->series) {
      lines.push_back(series.labels.to_string() + " " + std::to_string(series.points[0].value));
    }
    std::ranges::sort(lines);
    return lines;
  }

  const std::filesystem::path folder_;
  FakeClock clock_;
  metriclog::MemoryLog log_{clock_, {.partitions = 1}};
  metriclog::Deliveries deliveries_;
  telemetry::Registry registry_;
  std::unique_ptr<HistoryReader> reader_;
  int64_t start_ms_ = 0;
  uint64_t token_ = 0;
};

TEST_F(SeriesSourceTest, FindsSeriesByTheirOwnNames) {
  EXPECT_THAT(ask("{\"system.cpu.utilization\"}"),
              ElementsAre("{\"system.cpu.utilization\", agent=\"web-1\", host=\"host-of-web-1\"} 0.100900",
                          "{\"system.cpu.utilization\", agent=\"web-2\", host=\"host-of-web-2\"} 0.500900"));
  EXPECT_THAT(ask("{\"system.disk.io\", agent=~\".*2\", \"disk.io.direction\"=\"read\"}"),
              ElementsAre(HasSubstr("\"disk.io.direction\"=\"read\"")));
  EXPECT_THAT(ask("count by (agent) ({agent=\"web-1\"})"), ElementsAre("{agent=\"web-1\"} 2.000000"));
}

TEST_F(SeriesSourceTest, FindsSeriesByTheirNamesInPrometheus) {
  EXPECT_THAT(ask("system_cpu_utilization_ratio{host=\"host-of-web-1\"}"),
              ElementsAre("system_cpu_utilization_ratio{agent=\"web-1\", host=\"host-of-web-1\"} 0.100900"));
  EXPECT_THAT(ask("sum(rate(system_disk_io_bytes_total{disk_io_direction=\"read\"}[8s]))"),
              ElementsAre("{} 200.000000"));
}

TEST_F(SeriesSourceTest, EndsWhereALimitIsReached) {
  HistorySource few(*reader_, {.max_points = 15});
  EXPECT_THAT(few.select(*query::parse_selector("{agent=~\".+\"}"), 0, start_ms_).error().message(),
              HasSubstr("more than 15 samples (20 so far)"));
  HistorySource source(*reader_);
  source.limit_bytes(1000);
  const auto selector = *query::parse_selector("{agent=~\".+\"}");
  EXPECT_THAT(source.select(selector, 0, start_ms_).error().message(), HasSubstr("the query has 1000 left"));
  source.limit_bytes(100'000);
  EXPECT_EQ(source.select(selector, 0, start_ms_)->size(), 4U);
}

TEST_F(SeriesSourceTest, FindsNothingWhereNothingMatches) {
  EXPECT_THAT(ask("nothing"), ElementsAre());
  EXPECT_THAT(ask("system_cpu_utilization_ratio{agent=\"web-3\"}"), ElementsAre());
  EXPECT_THAT(ask("system_cpu_utilization_ratio offset 1h"), ElementsAre());
}

}  // namespace
}  // namespace monitor::analysis::history
