#include "metrics/otlp/otlp.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <fstream>

#include "base/random.h"
#include "metrics/encode.h"
#include "metrics/json_form.h"

namespace monitor::metrics {
namespace {

// All kinds of series; one of the frames lacks a series.
Batch example() {
  Batch batch;
  batch.agent_id = "agent-001";
  batch.hostname = "host";
  batch.incarnation = std::string(16, '\x07');
  batch.sequence = 7;
  batch.config_revision = 42;
  batch.resource = {{"rack", "r1"}};
  batch.first_unacked = 5;
  batch.counters = {100, 3, 800, {{"plugin", "filtered", 1, 2, 8}}};
  batch.drops = {{"plugin", "filtered", 1, 2, 8, "filter", std::string(16, '\x07'), 3, 4, 5, 6}};
  batch.appended_ns = 1'700'000'000'500'000'000;
  batch.ended = {{std::string(16, '\x01'), 99, 3, true}};
  batch.older = {{std::string(16, '\x02'), 12}};
  batch.agent_version = "1.2.3";
  batch.send_every_ns = 1'000'000'000;
  batch.series = {
      {"system.cpu.utilization", {}, "1", Kind::kGauge, true, -4},
      {"system.disk.io", {{"disk.io.direction", "read"}, {"system.device", "sda"}}, "By", Kind::kCounter, true, 0},
      {"system.disk.io", {{"disk.io.direction", "write"}, {"system.device", "sda"}}, "By", Kind::kCounter, true, 0},
      {"custom", {}, "Cel", Kind::kGauge, false, 0}};
  SeededRandom random(3);
  for (int i = 0; i < 3; ++i) {
    Frame frame{1'700'000'000'000'000'000 + int64_t{i} * 100'000'000, i == 0 ? 0 : 1'700'000'000'000'000'000, {}};
    for (SeriesId id = 0; id < (i == 1 ? 3U : 4U); ++id) {
      Point point;
      point.series = id;
      if (batch.series[id].integer) {
        point.integer = static_cast<int64_t>(random.below(1ULL << 40));
      } else {
        point.real = random.unit() * 100;
      }
      frame.points.push_back(point);
    }
    batch.frames.push_back(frame);
  }
  return batch;
}

TEST(Otlp, RoundTripIsLossless) {
  const Batch batch = example();
  const std::string bytes = to_otlp(batch);
  const auto back = from_otlp(bytes);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(encode_batch(*back), encode_batch(batch));
  EXPECT_EQ(batch_to_json(*back), batch_to_json(batch));
  // For tests/payload_test.py, which decodes the request with OpenTelemetry's own classes.
  if (const char* const path = std::getenv("MONITOR_OTLP_SAMPLE")) std::ofstream(path, std::ios::binary) << bytes;
}

TEST(Otlp, RoundTripKeepsHeartbeats) {
  Batch batch = example();
  batch.series.clear();
  batch.frames.clear();
  const auto back = from_otlp(to_otlp(batch));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_batch(*back), encode_batch(batch));
}

TEST(Otlp, RejectsRequestsOfOtherOrigin) {
  EXPECT_FALSE(from_otlp(""));
  EXPECT_FALSE(from_otlp("garbage"));
  std::string bytes = to_otlp(example());
  const size_t at = bytes.find("monitor.envelope");
  ASSERT_NE(at, std::string::npos);
  bytes[at] = 'x';
  const auto refused = from_otlp(bytes);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message().find("not made from a batch"), std::string::npos);
}

}  // namespace
}  // namespace monitor::metrics
