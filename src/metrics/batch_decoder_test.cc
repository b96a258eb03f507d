// BatchDecoder against decode_batch() and carry_resource().
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "base/random.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "metrics/resource.h"

namespace monitor::metrics {
namespace {

Batch random_batch(Random& random) {
  Batch batch;
  batch.agent_id = "agent-" + std::to_string(random.below(3));
  batch.hostname = "host";
  batch.incarnation = std::string(kIncarnationBytes, 'i');
  batch.sequence = 1 + random.below(1000);
  batch.appended_ns = static_cast<int64_t>(random.below(1'000'000));
  batch.final_batch = random.below(5) == 0;
  if (random.below(3) == 0) batch.resource = {{"site", random.below(2) == 0 ? "north" : "south"}};
  // The last one is a part of the one before.
  const uint64_t kind = random.below(5);
  const uint64_t list = std::min<uint64_t>(kind, 3);
  for (uint64_t i = 0; i < (kind == 4 ? 5 : list * 3); ++i) {
    Series series{.name = "metric." + std::to_string(i), .labels = {{"list", std::to_string(list)}}, .unit = "1"};
    if (list == 2 && i == 0) series.labels.emplace_back("site", "own");
    series.integer = i % 2 == 0;
    series.exponent = series.integer ? -2 : 0;
    batch.series.push_back(std::move(series));
  }
  for (uint64_t f = 0; f < random.below(4); ++f) {
    Frame frame{.time_ns = static_cast<int64_t>(f) + 1, .rates_since_ns = 0, .points = {}};
    for (SeriesId i = 0; i < batch.series.size(); ++i) {
      if (random.below(4) == 0) continue;
      Point point{.series = i};
      if (batch.series[i].integer) {
        point.integer = static_cast<int64_t>(random.next());
      } else {
        point.real = random.unit();
      }
      frame.points.push_back(point);
    }
    if (!frame.points.empty()) batch.frames.push_back(std::move(frame));
  }
  return batch;
}

void expect_equal(const Batch& got, const Batch& expected) {
  EXPECT_EQ(got.series, expected.series);
  EXPECT_EQ(got.resource, expected.resource);
  // The form has all other fields.
  EXPECT_EQ(encode_batch(got), encode_batch(expected));
}

TEST(BatchDecoder, EqualsDecodeBatch) {
  SeededRandom random(5);
  BatchDecoder decoder;
  for (int i = 0; i < 2000; ++i) {
    const std::string bytes = encode_batch(random_batch(random));
    auto expected = decode_batch(bytes);
    ASSERT_TRUE(expected.ok()) << expected.error().message();
    carry_resource(*expected);
    const auto got = decoder.decode(bytes);
    ASSERT_TRUE(got.ok()) << got.error().message();
    expect_equal(**got, *expected);
  }
}

TEST(BatchDecoder, RefusesWhatDecodeBatchRefuses) {
  SeededRandom random(6);
  BatchDecoder decoder;
  for (int i = 0; i < 2000; ++i) {
    const Batch batch = random_batch(random);
    ASSERT_TRUE(decoder.decode(encode_batch(batch)).ok());
    std::string bytes = encode_batch(batch);
    bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    bytes.resize(bytes.size() - random.below(3));
    auto expected = decode_batch(bytes);
    const auto got = decoder.decode(bytes);
    ASSERT_EQ(got.ok(), expected.ok());
    if (!expected) {
      EXPECT_EQ(got.error().message(), expected.error().message());
      continue;
    }
    carry_resource(*expected);
    expect_equal(**got, *expected);
  }
}

}  // namespace
}  // namespace monitor::metrics
