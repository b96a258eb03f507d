#include "ui/web/prometheus.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "base/text.h"
#include "metrics/resource.h"

namespace monitor::analysis::web {
namespace {

using metrics::Kind;
using metrics::Series;

Series series(const std::string& name, const std::string& unit, Kind kind = Kind::kGauge) {
  return {.name = name, .labels = {}, .unit = unit, .kind = kind};
}

TEST(Prometheus, NamesFollowOpenTelemetrysMapping) {
  EXPECT_EQ(metrics::prometheus_name(series("system.cpu.utilization", "1")), "system_cpu_utilization_ratio");
  EXPECT_EQ(metrics::prometheus_name(series("system.memory.usage", "By")), "system_memory_usage_bytes");
  EXPECT_EQ(metrics::prometheus_name(series("system.disk.io.rate", "By/s")), "system_disk_io_rate_bytes_per_second");
  EXPECT_EQ(metrics::prometheus_name(series("system.disk.io", "By", Kind::kCounter)), "system_disk_io_bytes_total");
  EXPECT_EQ(metrics::prometheus_name(series("requests", "1", Kind::kCounter)), "requests_total");
  EXPECT_EQ(metrics::prometheus_name(series("system.filesystem.inodes.usage", "{inode}")),
            "system_filesystem_inodes_usage");
  EXPECT_EQ(metrics::prometheus_name(series("system.uptime", "s")), "system_uptime_seconds");
  EXPECT_EQ(metrics::prometheus_name(series("uptime_seconds", "s")), "uptime_seconds");
  EXPECT_EQ(metrics::prometheus_name(series("9 lives--of.a<cat>", "")), "_9_lives_of_a_cat");
  EXPECT_EQ(metrics::prometheus_label("9.a-b"), "key_9_a_b");
}

TEST(Prometheus, StatesTheUnitThatTheNameEndsWith) {
  EXPECT_EQ(metrics::prometheus_unit(series("system.memory.usage", "By")), "bytes");
  EXPECT_EQ(metrics::prometheus_unit(series("system.disk.io.rate", "By/s")), "bytes_per_second");
  EXPECT_EQ(metrics::prometheus_unit(series("system.cpu.utilization", "1")), "ratio");
  EXPECT_EQ(metrics::prometheus_unit(series("faults.rate", "{fault}/s")), "per_second");
  EXPECT_EQ(metrics::prometheus_unit(series("requests", "1", Kind::kCounter)), "");
  EXPECT_EQ(metrics::prometheus_unit(series("system.filesystem.inodes.usage", "{inode}")), "");
}

TEST(Prometheus, WritesTheTextFormat) {
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
      "# HELP monitor_agent_seen_timestamp_seconds Time of the agent's latest record in the log, unit s\n"
      "# TYPE monitor_agent_seen_timestamp_seconds gauge\n"
      "# UNIT monitor_agent_seen_timestamp_seconds seconds\n"
      "monitor_agent_seen_timestamp_seconds{agent=\"a\",host=\"h\\\"<\\\\\"} 1700000000.25\n";
  const auto text = [&fleet](int64_t heard_after_ns) {
    PrometheusText made;
    for (const auto& [name, agent] : fleet.agents()) made.add(agent, heard_after_ns);
    return std::move(made).text();
  };
  EXPECT_EQ(text(0), heard +
                         "# HELP system_cpu_utilization_ratio Share of time in which the processors were busy. "
                         "Metric system.cpu.utilization, unit 1.\n"
                         "# TYPE system_cpu_utilization_ratio gauge\n"
                         "# UNIT system_cpu_utilization_ratio ratio\n"
                         "system_cpu_utilization_ratio{agent=\"a\",host=\"h\\\"<\\\\\"} 0.25\n"
                         "# HELP x x\"\\\\\n# TYPE x gauge\n"
                         "x{U__a_2e_b=\"1\",a_b=\"2\",agent=\"a\",host=\"h\\\"<\\\\\"} NaN\n");
  EXPECT_EQ(text(batch.appended_ns + kNanosPerSecond), heard) << "for long";
}

// The scrape of one agent with these series; their values are 1, 2, ...
std::string scraped(std::vector<Series> all, metrics::Labels resource = {}) {
  Fleet fleet;
  metrics::Batch batch;
  batch.agent_id = "a";
  batch.hostname = "h";
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 1;
  batch.resource = std::move(resource);
  batch.series = std::move(all);
  metrics::Frame frame{.time_ns = kNanosPerSecond};
  for (size_t i = 0; i < batch.series.size(); ++i) {
    metrics::Point point{.series = static_cast<metrics::SeriesId>(i)};
    point.real = static_cast<double>(i + 1);
    frame.points.push_back(point);
  }
  batch.frames = {frame};
  metrics::carry_resource(batch);
  fleet.apply({.partition = 0, .offset = 1, .time_ns = kNanosPerSecond}, batch);
  PrometheusText made;
  made.add(*fleet.find("a"), 0);
  return std::move(made).text();
}

// The lines that contain samples.
std::multiset<std::string> samples(const std::string& text) {
  std::multiset<std::string> found;
  for (const std::string_view line : split(text, '\n')) {
    if (!line.empty() && !line.starts_with('#') && !line.starts_with("monitor_agent_seen")) found.emplace(line);
  }
  return found;
}

using Lines = std::multiset<std::string>;

TEST(Prometheus, AddsTheLabelsOfTheConfiguration) {
  EXPECT_EQ(samples(scraped({series("load", "")}, {{"rack", "r12"}})),
            Lines({R"(load{agent="a",host="h",rack="r12"} 1)"}));
}

TEST(Prometheus, KeepsCollidingLabelsDistinct) {
  Series dotted = series("m", "");
  dotted.labels = {{"a.b", "x"}};
  Series plain = series("m", "");
  plain.labels = {{"a_b", "x"}};
  const Lines expected = {R"(m{U__a_2e_b="x",agent="a",host="h"} 1)", R"(m{a_b="x",agent="a",host="h"} 2)"};
  EXPECT_EQ(samples(scraped({dotted, plain})), expected);
  EXPECT_EQ(samples(scraped({dotted})), Lines({R"(m{a_b="x",agent="a",host="h"} 1)"}))
      << "without a collision it has its usual name";
}

TEST(Prometheus, RenamesReservedLabelsToExported) {
  const metrics::Labels reserved = {{"__name__", "n"}, {"agent", "x"}, {"host", "y"}, {"le", "1"}};
  EXPECT_EQ(samples(scraped({series("m", "")}, reserved)),
            Lines({R"(m{agent="a",exported_agent="x",exported_host="y",exported_le="1",host="h",key__name__="n"} 1)"}));
  const metrics::Labels both = {{"agent", "x"}, {"exported_agent", "y"}};
  EXPECT_EQ(samples(scraped({series("m", "")}, both)),
            Lines({R"(m{U__agent="x",agent="a",exported_agent="y",host="h"} 1)"}));
}

TEST(Prometheus, KeepsCollidingMetricsDistinct) {
  EXPECT_EQ(samples(scraped({series("a.b", ""), series("a_b", "")})),
            Lines({R"(U__a_2e_b{agent="a",host="h"} 1)", R"(a_b{agent="a",host="h"} 2)"}));
  EXPECT_EQ(samples(scraped({series("x_total", ""), series("x", "", Kind::kCounter)})),
            Lines({R"(x_total{agent="a",host="h"} 1)", R"(U__x_total{agent="a",host="h"} 2)"}));
  EXPECT_EQ(samples(scraped({series("a", "By"), series("a_bytes", "")})),
            Lines({R"(U__a_unit_By{agent="a",host="h"} 1)", R"(a_bytes{agent="a",host="h"} 2)"}));
  EXPECT_EQ(samples(scraped({series("U__a_2e_b", ""), series("a.b", ""), series("a_b", "")})).size(), 3U);
}

TEST(Prometheus, EscapesValuesWithoutCollisions) {
  Series one = series("m", "");
  one.labels = {{"l", "a\nb\x1b[2J\"\\"}};
  EXPECT_EQ(samples(scraped({one})), Lines({R"(m{agent="a",host="h",l="a\nb\\u001b[2J\"\\"} 1)"}));
}

}  // namespace
}  // namespace monitor::analysis::web
