#include "analysis/web/prometheus.h"

#include <gtest/gtest.h>

#include <cmath>

namespace monitor::analysis::web {
namespace {

using metrics::Kind;
using metrics::Series;

Series series(const std::string& name, const std::string& unit, Kind kind = Kind::kGauge) {
  return {.name = name, .labels = {}, .unit = unit, .kind = kind};
}

TEST(Prometheus, NamesAsOpenTelemetryMapsThem) {
  EXPECT_EQ(prometheus_name(series("system.cpu.utilization", "1")), "system_cpu_utilization_ratio");
  EXPECT_EQ(prometheus_name(series("system.memory.usage", "By")), "system_memory_usage_bytes");
  EXPECT_EQ(prometheus_name(series("system.disk.io.rate", "By/s")), "system_disk_io_rate_bytes_per_second");
  EXPECT_EQ(prometheus_name(series("system.disk.io", "By", Kind::kCounter)), "system_disk_io_bytes_total");
  EXPECT_EQ(prometheus_name(series("requests", "1", Kind::kCounter)), "requests_total");
  EXPECT_EQ(prometheus_name(series("system.filesystem.inodes.usage", "{inode}")), "system_filesystem_inodes_usage");
  EXPECT_EQ(prometheus_name(series("system.uptime", "s")), "system_uptime_seconds");
  EXPECT_EQ(prometheus_name(series("uptime_seconds", "s")), "uptime_seconds");
  EXPECT_EQ(prometheus_name(series("9 lives--of.a<cat>", "")), "_9_lives_of_a_cat");
  EXPECT_EQ(prometheus_label("9.a-b"), "key_9_a_b");
}

TEST(Prometheus, IsWhatAScraperReads) {
  Fleet fleet;
  metrics::Batch batch;
  batch.agent_id = "a";
  batch.hostname = "h\"<\\";
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 1;
  batch.appended_ns = 1'700'000'000 * kNanosPerSecond;
  batch.series = {series("system.cpu.utilization", "1"), series("x\"\\", "")};
  batch.series[1].labels = {{"a.b", "1"}, {"a_b", "2"}};
  metrics::Point one{.series = 0};
  one.real = 0.25;
  metrics::Point two{.series = 1};
  two.real = NAN;
  batch.frames = {{.time_ns = batch.appended_ns, .rates_since_ns = 0, .points = {one, two}}};
  fleet.apply({.partition = 0, .offset = 1, .time_ns = batch.appended_ns + 250 * kNanosPerMilli}, batch);
  const std::string heard =
      "# HELP monitor_agent_seen_timestamp_seconds when the log took what an agent said last, unit s\n"
      "# TYPE monitor_agent_seen_timestamp_seconds gauge\n"
      "monitor_agent_seen_timestamp_seconds{agent=\"a\",host=\"h\\\"<\\\\\"} 1700000000.25\n";
  const auto text = [&fleet](int64_t heard_after_ns) {
    PrometheusText made;
    for (const auto& [name, agent] : fleet.agents()) made.add(agent, heard_after_ns);
    return std::move(made).text();
  };
  EXPECT_EQ(text(0), heard +
                         "# HELP system_cpu_utilization_ratio system.cpu.utilization, unit 1\n"
                         "# TYPE system_cpu_utilization_ratio gauge\n"
                         "system_cpu_utilization_ratio{agent=\"a\",host=\"h\\\"<\\\\\"} 0.25\n"
                         "# HELP x x\"\\\\\n# TYPE x gauge\n"
                         "x{a_b=\"1;2\",agent=\"a\",host=\"h\\\"<\\\\\"} NaN\n");
  EXPECT_EQ(text(batch.appended_ns + kNanosPerSecond), heard) << "for long";
}

}  // namespace
}  // namespace monitor::analysis::web
