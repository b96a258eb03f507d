// A batch for the tests of printers.
#pragma once

#include <limits>
#include <string>

#include "base/clock.h"
#include "metrics/batch.h"

namespace monitor::analysis {

inline constexpr int64_t kTime = 1'795'348'800'123'456'789;  // 2026-11-22T12:00:00.123456789Z

inline void add(metrics::Batch& batch, metrics::Frame& frame, metrics::Series series, double value) {
  metrics::Point point;
  point.series = static_cast<metrics::SeriesId>(batch.series.size());
  point.real = value;
  if (series.integer) point.integer = static_cast<int64_t>(value);
  batch.series.push_back(std::move(series));
  frame.points.push_back(point);
}

inline metrics::Batch sample(const std::string& agent = "agent-001", uint64_t sequence = 7) {
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

}  // namespace monitor::analysis
