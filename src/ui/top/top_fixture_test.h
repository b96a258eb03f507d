// A fleet for the tests of `top`, and what TopView draws of it.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "metrics/resource.h"
#include "ui/top/top_view.h"

namespace monitor::analysis::top {

inline constexpr int64_t kNow = int64_t{1'700'000'000} * kNanosPerSecond;

class TopViewTest : public ::testing::Test {
 protected:
  void heard(const std::string& name, double cpu, int64_t time_ns = kNow, bool last = false) {
    metrics::Batch batch;
    batch.agent_id = name;
    batch.hostname = "host-" + name;
    batch.incarnation = std::string(16, 'i');
    batch.sequence = ++sequence_;
    batch.first_unacked = batch.sequence;
    batch.appended_ns = time_ns;
    batch.send_every_ns = kNanosPerSecond;
    batch.final_batch = last;
    batch.series = {
        {.name = "system.cpu.utilization", .labels = {}, .unit = "1"},
        {.name = "system.cpu.utilization", .labels = {{"cpu.logical_number", "3"}}, .unit = "1"},
        {.name = "system.memory.utilization", .labels = {}, .unit = "1"},
        {.name = "system.disk.io.rate", .labels = {{"disk.io.direction", "read"}}, .unit = "By/s"},
        {.name = "system.network.io.rate", .labels = {{"network.io.direction", "receive"}}, .unit = "By/s"}};
    metrics::Point host{.series = 0};
    host.real = cpu;
    metrics::Point core{.series = 1};
    core.real = 0.75;
    metrics::Point memory{.series = 2};
    memory.real = 1 - cpu;
    metrics::Point disk{.series = 3};
    disk.real = (cpu - 0.5) * (cpu - 0.5) * 1e6;
    metrics::Point net{.series = 4};
    net.real = 1e6 - disk.real;
    batch.frames = {{.time_ns = time_ns, .rates_since_ns = 0, .points = {host, core, memory, disk, net}}};
    fleet_.apply({.partition = 0, .offset = 1, .time_ns = time_ns}, batch);
    past_.note(*fleet_.find(name));
  }
  std::string text(Size size = {}) {
    std::string out;
    const auto lines = view_.draw(fleet_, past_, kNow, size);
    EXPECT_EQ(lines.size(), size.rows);
    for (const Line& line : lines) {
      for (const Span& span : line) out += span.text;
      out += "\n";
    }
    return out;
  }

  Fleet fleet_;
  SeriesPast past_;
  TopView view_{false};
  uint64_t sequence_ = 0;
};

}  // namespace monitor::analysis::top
