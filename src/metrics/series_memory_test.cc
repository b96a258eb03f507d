#include "metrics/series_memory.h"

#include <gtest/gtest.h>

#include "metrics/check.h"
#include "metrics/decode.h"
#include "metrics/encode.h"

namespace monitor::metrics {
namespace {

std::string list_of(size_t bytes, char fill) { return std::string(bytes, fill); }

TEST(SeriesMemory, RecognisesListsAsLargeAsABatchAllows) {
  SeriesMemory memory;
  const std::string list = list_of(kMaxBatchBytes, 'x');
  const SeriesMemory::Types types(5000, 1);
  memory.keep(list, types);
  ASSERT_NE(memory.find(list), nullptr);
  EXPECT_EQ(*memory.find(list), types);
  std::string other = list;
  other[kMaxBatchBytes / 2 + 3] = 'y';
  EXPECT_EQ(memory.find(other), nullptr) << "all bytes are compared";
}

TEST(SeriesMemory, StaysWithinItsMemoryLimit) {
  SeriesMemory memory;
  const SeriesMemory::Types types(1000, 0);
  for (size_t i = 0; i < 2000; ++i) {
    std::string list = list_of(kMaxBatchBytes - i, static_cast<char>('a' + i % 26));
    memory.keep(list, types);
    ASSERT_NE(memory.find(list), nullptr) << "the newest list must be kept";
    ASSERT_LE(memory.bytes(), size_t{16} << 20);
  }
  EXPECT_GT(memory.bytes(), size_t{8} << 20) << "it must hold many lists";
}

TEST(SeriesMemory, ChecksAWideBatchTheSameIfItsListIsKnown) {
  Batch wide;
  wide.agent_id = "a";
  wide.incarnation = std::string(kIncarnationBytes, 'i');
  wide.sequence = 1;
  Frame frame{.time_ns = 1'700'000'000'000'000'000};
  for (uint32_t i = 0; i < 1000; ++i) {
    wide.series.push_back({.name = "system.filesystem.utilization",
                           .labels = {{"system.device", "/dev/disk/by-id/" + std::string(40, 'd') + std::to_string(i)}},
                           .unit = "1"});
    frame.points.push_back({i, {}, {}});
  }
  wide.frames.push_back(frame);
  const std::string bytes = encode_batch(wide);
  ASSERT_GT(bytes.size(), size_t{64} * 1024);
  BatchChecker checker{BatchLimits{}};
  for (int i = 0; i < 3; ++i) {
    const auto view = checker.check(bytes);
    ASSERT_TRUE(view.ok()) << view.error().to_string();
    EXPECT_EQ(view->points, 1000U);
  }
  std::string broken = bytes;
  broken.pop_back();
  EXPECT_FALSE(checker.check(broken).ok()) << "what follows a known list must be checked";
}

}  // namespace
}  // namespace monitor::metrics
