// Batches of payload v2 for servers of both kinds.
#include "outputs/stream/versioned_source.h"

#include <gtest/gtest.h>

#include <deque>
#include <utility>
#include <vector>

#include "base/random.h"
#include "metrics/encode.h"
#include "payload/decode.h"
#include "payload/encode.h"
#include "payload/testing/random_batches.h"

namespace monitor::agent {
namespace {

class Batches final : public stream::BatchSource {
 public:
  std::optional<stream::Outgoing> next() override {
    if (waiting.empty()) return std::nullopt;
    out = std::move(waiting.front());
    waiting.pop_front();
    return stream::Outgoing{++given, out};
  }
  void acknowledged(uint64_t id) override { answers.emplace_back(id, "acknowledged"); }
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override {
    EXPECT_EQ(by, stream::RejectedBy::kOutput);
    answers.emplace_back(id, reason);
  }
  void returned(uint64_t id) override { answers.emplace_back(id, "returned"); }

  std::deque<std::string> waiting;
  std::string out;
  uint64_t given = 0;
  std::vector<std::pair<uint64_t, std::string>> answers;
};

TEST(VersionedSource, ANewServerGetsTheBytesOfTheSpool) {
  Batches batches;
  SeededRandom random(1);
  const metrics::Batch batch = payload::random_batch(random).batch;
  const std::vector<std::string> all = {*payload::encode(batch), metrics::encode_batch(batch)};
  batches.waiting.assign(all.begin(), all.end());
  VersionedSource source(batches, batch.agent_id);
  source.set_takes_v2(true);
  for (const std::string& bytes : all) EXPECT_EQ(source.next()->bytes, bytes);
  EXPECT_FALSE(source.next());
  EXPECT_EQ(source.converted(), 0U);
}

// Whatever the server is: it is known when the stream is established.
TEST(VersionedSource, AnOldServerNeverGetsV2) {
  SeededRandom random(2);
  for (int i = 0; i < 300; ++i) {
    const metrics::Batch batch = payload::random_batch(random).batch;
    Batches batches;
    batches.waiting = {*payload::encode(batch), metrics::encode_batch(batch)};
    VersionedSource source(batches, batch.agent_id);
    for (int k = 0; k < 2; ++k) {
      const auto outgoing = source.next();
      ASSERT_TRUE(outgoing);
      ASSERT_FALSE(payload::is_payload(outgoing->bytes));
      ASSERT_EQ(outgoing->bytes, metrics::encode_batch(batch));
    }
    EXPECT_EQ(source.converted(), 1U);
  }
}

TEST(VersionedSource, WhatCannotBeConvertedIsRejected) {
  Batches batches;
  SeededRandom random(3);
  const metrics::Batch batch = payload::random_batch(random).batch;
  batches.waiting = {"\x16 damaged", *payload::encode(batch)};
  VersionedSource source(batches, batch.agent_id);
  const auto outgoing = source.next();
  ASSERT_TRUE(outgoing);
  EXPECT_EQ(outgoing->id, 2U);
  ASSERT_EQ(batches.answers.size(), 1U);
  EXPECT_EQ(batches.answers[0].first, 1U);
  EXPECT_TRUE(batches.answers[0].second.starts_with("invalid: payload: ")) << batches.answers[0].second;
  source.acknowledged(outgoing->id);
  EXPECT_EQ(batches.answers[1], std::pair(uint64_t{2}, std::string("acknowledged")));
}

}  // namespace
}  // namespace monitor::agent
