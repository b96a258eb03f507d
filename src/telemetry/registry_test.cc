#include "telemetry/registry.h"

#include <gtest/gtest.h>

#include <cmath>
#include <thread>

namespace monitor::telemetry {
namespace {

TEST(Registry, PrintsCountersAndGaugesByNameAndLabels) {
  Registry registry;
  registry.counter("monitor_server_batches_total", "Batches taken.").add(3);
  registry.counter("monitor_server_rejected_total", "Batches refused.", {{"reason", "too\"large\n"}}).add();
  registry.gauge("monitor_server_streams", "Open streams.").set(2.5);
  registry.gauge_from("monitor_server_up", "Whether\nit is.", [] { return std::nan(""); });
  EXPECT_EQ(registry.text(),
            "# HELP monitor_server_batches_total Batches taken.\n"
            "# TYPE monitor_server_batches_total counter\n"
            "monitor_server_batches_total 3\n"
            "# HELP monitor_server_rejected_total Batches refused.\n"
            "# TYPE monitor_server_rejected_total counter\n"
            "monitor_server_rejected_total{reason=\"too\\\"large\\n\"} 1\n"
            "# HELP monitor_server_streams Open streams.\n"
            "# TYPE monitor_server_streams gauge\n"
            "monitor_server_streams 2.5\n"
            "# HELP monitor_server_up Whether\\nit is.\n"
            "# TYPE monitor_server_up gauge\n"
            "monitor_server_up NaN\n");
}

TEST(Registry, SumsCellsWithTheSameName) {
  Registry registry;
  Counter& one = registry.counter("c_total", "C.");
  Counter& two = registry.counter("c_total", "C.");
  std::thread other([&two] {
    for (int i = 0; i < 1000; ++i) two.add();
  });
  for (int i = 0; i < 1000; ++i) one.add();
  other.join();
  EXPECT_NE(registry.text().find("\nc_total 2000\n"), std::string::npos);
}

TEST(Registry, PrintsCumulativeHistograms) {
  Registry registry;
  Histogram& histogram = registry.histogram("delay_seconds", "Delay.", {0.1, 1}, {{"a", "b"}});
  histogram.observe(0.1);
  histogram.observe(0.5);
  histogram.observe(7);
  EXPECT_EQ(registry.text(),
            "# HELP delay_seconds Delay.\n"
            "# TYPE delay_seconds histogram\n"
            "delay_seconds_bucket{a=\"b\",le=\"0.1\"} 1\n"
            "delay_seconds_bucket{a=\"b\",le=\"1\"} 2\n"
            "delay_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"
            "delay_seconds_sum{a=\"b\"} 7.6\n"
            "delay_seconds_count{a=\"b\"} 3\n");
}

}  // namespace
}  // namespace monitor::telemetry
