#include "inputs/stream/identity_limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>

#include "base/protowire.h"
#include "inputs/stream/testing/ingest_world.h"
#include "metrics/check.h"
#include "metrics/decode.h"

namespace monitor::server {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr IdentityLimits kNone = {.streams = 0, .bytes_per_second = 0, .batches = 0, .series = 0};

std::string with_series(uint64_t sequence, size_t first, size_t count) {
  metrics::Batch b = *metrics::decode_batch(batch(sequence));
  b.series.clear();
  b.frames[0].points.clear();
  for (size_t i = 0; i < count; ++i) {
    b.series.push_back({.name = "series." + std::to_string(first + i), .labels = {}, .unit = "1"});
    b.frames[0].points.push_back({static_cast<uint32_t>(i), {}, {}});
  }
  return metrics::encode_batch(b);
}

class LimitsTest : public IngestTest {
 protected:
  static size_t notices(Agent& agent) {
    const auto heard = agent.heard();
    return static_cast<size_t>(
        std::count_if(heard.begin(), heard.end(), [](const auto& word) { return word.starts_with("limited: "); }));
  }
  static bool has_room(const Agent& agent) { return agent.call.consumed_bytes >= agent.sent; }
};

TEST_F(LimitsTest, AnAgentBeyondItsRateGetsNoRoomUntilItIsWithinAndLosesNothing) {
  const auto ingest = make({.agent_limits = {.bytes_per_second = 64 * 1024}});
  Agent flood(*ingest);
  Agent other(*ingest);
  flood.hello("flood");
  other.hello("other");
  for (uint64_t i = 1; i <= 200; ++i) flood.publish(i, batch(i, "flood"));
  turn();
  EXPECT_FALSE(has_room(flood)) << "200 batches of more than 1 KiB are more than 2 s of 64 KiB";
  EXPECT_THAT(flood.heard(), AllOf(Contains(HasSubstr("limited: the server slows this agent")), Contains("ack 200")));
  other.publish(1, batch(1, "other"));
  turn();
  EXPECT_TRUE(has_room(other)) << "only the identity beyond its limit is slowed";
  EXPECT_THAT(other.heard(), ElementsAre("hello", "ack 1"));
  timers_.advance(5 * kNanosPerSecond);
  EXPECT_TRUE(has_room(flood));
  EXPECT_EQ(log_.records(0).size(), 201U);
  EXPECT_FALSE(shows(R"(monitor_server_agent_limits_total{limit="bytes"} 0)"));
  EXPECT_EQ(tables_.back()->limited(timers_.clock().mono_ns()), 1U);
  timers_.advance(60 * kNanosPerSecond);
  EXPECT_EQ(tables_.back()->limited(timers_.clock().mono_ns()), 0U);
}

TEST_F(LimitsTest, TheRateHoldsOverStreamsAndLoopsAndReconnections) {
  const IngestOptions options{.agent_limits = {.bytes_per_second = 64 * 1024}};
  const auto one = make(options);
  const auto two = beside(options);
  {
    Agent first(*one, "ipv4:10.0.0.1:1");
    first.hello("a1", 'i');
    for (uint64_t i = 1; i <= 120; ++i) first.publish(i, batch(i, "a1", 'i'));
    turn();
    EXPECT_FALSE(has_room(first));
  }
  Agent second(*two, "ipv4:10.0.0.1:2");
  second.hello("a1", 'k');
  second.publish(1, batch(1, "a1", 'k'));
  turn();
  EXPECT_FALSE(has_room(second)) << "what it used in the other loop is not forgotten";
  timers_.advance(3 * kNanosPerSecond);
  EXPECT_TRUE(has_room(second));
}

TEST_F(LimitsTest, SendsAtTheLimitsRateInTheLongRun) {
  const auto ingest = make({.agent_limits = {.bytes_per_second = 64 * 1024}});
  Agent flood(*ingest);
  flood.hello();
  const size_t per_batch = batch(1).size() + Identity::kPerBatch;
  uint64_t sent = 0;
  constexpr int64_t kSeconds = 60;
  for (int64_t ms = 0; ms < kSeconds * 1000; ++ms) {
    // Its window: it sends while it has room for 16 KiB more.
    while (flood.sent < flood.call.consumed_bytes + 16 * 1024) {
      ++sent;
      flood.publish(sent, batch(sent));
    }
    turn();
    timers_.advance(kNanosPerMilli);
  }
  const double rate = static_cast<double>(sent * per_batch) / kSeconds;
  EXPECT_GT(rate, 64 * 1024.0 * 0.95);
  // The burst, and one window.
  EXPECT_LT(rate, 64 * 1024.0 * (1 + 2.0 / kSeconds) + 128 * 1024.0 * Identity::kPerBatch / 100 / kSeconds);
}

TEST_F(LimitsTest, BatchesBeyondTheLimitAreAskedForAgainAndLosesNone) {
  const auto ingest = make({.agent_limits = {.batches = 3}});
  log_.hold_deliveries();
  Agent agent(*ingest);
  agent.hello();
  for (uint64_t i = 1; i <= 5; ++i) agent.publish(i, batch(i));
  timers_.advance(10 * kNanosPerSecond);
  turn();
  EXPECT_EQ(log_.held(), 3U);
  EXPECT_FALSE(has_room(agent));
  EXPECT_THAT(agent.heard(), ElementsAre("hello", HasSubstr("limit is 3 (--max-batches-per-agent)")))
      << "it is not asked for more while the log has not confirmed any";
  log_.release_deliveries();
  turn();
  timers_.advance(kNanosPerSecond);
  EXPECT_THAT(agent.heard(), ElementsAre("ack 3", "rewind 4"));
  agent.publish(4, batch(4));
  agent.publish(5, batch(5));
  turn();
  EXPECT_THAT(agent.heard(), ElementsAre("ack 5"));
  EXPECT_TRUE(has_room(agent));
  EXPECT_EQ(log_.records(0).size(), 5U);
}

TEST_F(LimitsTest, BatchesThatAnEndedStreamLeftBehindDoNotCount) {
  const auto ingest = make({.agent_limits = {.batches = 3}});
  log_.hold_deliveries();
  {
    Agent agent(*ingest);
    agent.hello();
    for (uint64_t i = 1; i <= 3; ++i) agent.publish(i, batch(i));
  }
  Agent next(*ingest);
  next.hello();
  next.publish(1, batch(4));
  EXPECT_TRUE(notices(next) == 0);
  EXPECT_EQ(log_.held(), 4U);
}

TEST_F(LimitsTest, AResetOfTheLogFreesTheBatchesOfTheLimit) {
  const auto ingest = make({.agent_limits = {.batches = 2}});
  log_.hold_deliveries();
  Agent agent(*ingest);
  agent.hello();
  for (uint64_t i = 1; i <= 4; ++i) agent.publish(i, batch(i));
  log_.lose_deliveries(false);
  turn();
  timers_.advance(kNanosPerSecond);
  EXPECT_THAT(agent.heard(), Contains("rewind 1"));
  agent.publish(1, batch(1));
  agent.publish(2, batch(2));
  EXPECT_EQ(log_.held(), 2U) << "both are within the limit again";
}

TEST_F(LimitsTest, SeriesBeyondTheLimitSlowTheAgentToTheLimitAnHour) {
  const auto ingest = make({.agent_limits = {.series = 10}});
  Agent agent(*ingest);
  agent.hello();
  for (uint64_t i = 1; i <= 50; ++i) agent.publish(i, with_series(i, 0, 10));
  turn();
  EXPECT_TRUE(has_room(agent)) << "the same series count once";
  agent.publish(51, with_series(51, 5, 10));
  turn();
  EXPECT_FALSE(has_room(agent));
  EXPECT_THAT(agent.heard(),
              AllOf(Contains(HasSubstr("15 different series within an hour, the limit is 10")), Contains("ack 51")))
      << "the batch is stored";
  timers_.advance(29 * 60 * kNanosPerSecond);
  EXPECT_FALSE(has_room(agent)) << "five series take half an hour at ten an hour";
  timers_.advance(2 * 60 * kNanosPerSecond);
  EXPECT_TRUE(has_room(agent));
  agent.publish(52, with_series(52, 5, 10));
  turn();
  EXPECT_TRUE(has_room(agent)) << "those are paid for";
  timers_.advance(Identity::kSeriesWindow);
  agent.publish(53, with_series(53, 100, 10));
  turn();
  EXPECT_TRUE(has_room(agent)) << "a new hour counts anew";
}

TEST_F(LimitsTest, SeriesThatFollowAKnownListAreCounted) {
  const auto ingest = make({.agent_limits = {.series = 10}});
  Agent agent(*ingest);
  agent.hello();
  agent.publish(1, with_series(1, 0, 10));
  // A batch may continue its series after another field: here, after a second configuration revision.
  std::string split = with_series(2, 0, 10);
  const std::string more = with_series(2, 100, 1);
  protowire::Reader reader(more);
  std::string_view series;
  while (const auto field = reader.next()) {
    if (field->number == 10) series = field->bytes;
  }
  std::string extra;
  protowire::put_uint64(extra, 5, 43);
  protowire::put_message(extra, 10, series);
  const std::string_view all = split;
  protowire::Reader walk(all);
  std::string_view before = all;
  size_t frames_at = 0;
  while (const auto field = walk.next()) {
    if (field->number == 11 && frames_at == 0) frames_at = all.size() - before.size();
    before = walk.rest();
  }
  split.insert(frames_at, extra);
  ASSERT_EQ(metrics::check_batch(split)->series, 11U);
  agent.publish(2, split);
  turn();
  EXPECT_FALSE(has_room(agent));
}

TEST_F(LimitsTest, AFurtherStreamIsRefusedWithTheLimit) {
  const auto ingest = make({.agent_limits = {.streams = 2}});
  Agent one(*ingest);
  Agent two(*ingest);
  Agent three(*ingest);
  Agent other(*ingest);
  one.hello("a1", 'i');
  two.hello("a1", 'j');
  three.hello("a1", 'k');
  other.hello("a2", 'k');
  EXPECT_FALSE(one.call.finished.has_value());
  EXPECT_FALSE(two.call.finished.has_value());
  ASSERT_TRUE(three.call.finished.has_value());
  EXPECT_EQ(three.call.finished->code, Code::kResourceExhausted);
  EXPECT_THAT(three.call.finished->message, HasSubstr("the limit is 2"));
  EXPECT_FALSE(other.call.finished.has_value());
  EXPECT_TRUE(shows(R"(monitor_server_agent_limits_total{limit="streams"} 1)"));
}

TEST_F(LimitsTest, ZeroTurnsEachLimitOff) {
  const auto ingest = make({.agent_limits = kNone});
  log_.hold_deliveries();
  Agent agent(*ingest);
  agent.hello();
  for (uint64_t i = 1; i <= 3000; ++i) agent.publish(i, with_series(i, i * 30, 30));
  log_.release_deliveries();
  turn();
  EXPECT_TRUE(has_room(agent));
  EXPECT_THAT(agent.heard(), ElementsAre("hello", "ack 3000"));
}

TEST_F(LimitsTest, IsReportedAtMostOnceAMinuteWhileItLasts) {
  const auto ingest = make({.agent_limits = {.bytes_per_second = 64 * 1024}});
  Agent flood(*ingest);
  flood.hello();
  size_t told = 0;
  uint64_t sent = 0;
  for (int second = 0; second < 150; ++second) {
    for (int i = 0; i < 100; ++i) {
      ++sent;
      flood.publish(sent, batch(sent));
    }
    turn();
    told += notices(flood);
    timers_.advance(kNanosPerSecond);
  }
  EXPECT_GE(told, 2U);
  EXPECT_LE(told, 3U);
}

// What one well-behaved agent waits for its acknowledgements beside another one that sends as much as it may, on a log
// that stores one batch every 200 us, in order.
class FloodTest : public LimitsTest {
 protected:
  int64_t median_delay_us(const IdentityLimits& limits, bool flooded) {
    const auto ingest = make({.agent_limits = limits});
    log_.hold_deliveries();
    Agent good(*ingest);
    Agent flood(*ingest);
    // The server answers at once for a batch that it has stored already.
    const char run = runs_++;
    good.hello("good", run);
    flood.hello("flood", run);
    std::vector<int64_t> delays;
    int64_t sent_us = 0;
    uint64_t good_sent = 0;
    uint64_t flood_sent = 0;
    for (int64_t us = 0; us < 20'000'000; us += 200) {
      // Both have the window that the server gives, of small batches.
      while (flooded && flood.sent < flood.call.consumed_bytes + 512 * 1024) {
        ++flood_sent;
        flood.publish(flood_sent, batch(flood_sent, "flood", run));
      }
      if (us % 100'000 == 0 && delays.size() == good_sent) {
        ++good_sent;
        sent_us = us;
        good.publish(good_sent, batch(good_sent, "good", run));
      }
      log_.deliver(1);
      turn();
      timers_.advance(200 * 1000);
      for (const std::string& word : flood.heard()) {
        if (word.starts_with("rewind ")) flood_sent = std::stoull(word.substr(7)) - 1;
      }
      for (const std::string& word : good.heard()) {
        if (word.starts_with("ack ")) delays.push_back(us + 200 - sent_us);
      }
    }
    log_.release_deliveries();
    turn();
    EXPECT_GT(delays.size(), 10U);
    std::nth_element(delays.begin(), delays.begin() + static_cast<std::ptrdiff_t>(delays.size() / 2), delays.end());
    return delays[delays.size() / 2];
  }

  char runs_ = 'a';
};

TEST_F(FloodTest, AFloodByOneIdentityDoesNotDelayAnothersAcknowledgements) {
  constexpr IdentityLimits kLimits = {.streams = 16, .bytes_per_second = 1 << 20, .batches = 100, .series = 0};
  const int64_t alone = median_delay_us(kLimits, false);
  const int64_t beside_flood = median_delay_us(kLimits, true);
  EXPECT_LE(beside_flood, alone * 12 / 10);
  EXPECT_GT(median_delay_us(kNone, true), alone * 10) << "without limits, the flood delays it";
}

// --- The table.

TEST(IdentityTable, ForgetsAnIdentityAnHourAfterItsLastStream) {
  SeededRandom random(1);
  IdentityTable table({}, random);
  const auto identity = table.enter("a", 0);
  EXPECT_EQ(table.enter("a", 5), identity);
  table.leave("a", 10);
  table.leave("a", 20);
  EXPECT_EQ(table.enter("a", 30), identity) << "it came back";
  table.leave("a", 40);
  table.enter("b", Identity::kSeriesWindow + 20);
  EXPECT_EQ(table.size(), 2U);
  table.enter("c", Identity::kSeriesWindow + 40);
  EXPECT_EQ(table.size(), 2U) << "b and c";
}

TEST(IdentityTable, KeepsABoundedNumberOfIdentitiesWithoutStreams) {
  SeededRandom random(1);
  IdentityTable table({}, random);
  const auto stays = table.enter("stays", 0);
  for (int i = 0; i < 70'000; ++i) {
    table.enter(std::to_string(i), i);
    table.leave(std::to_string(i), i);
  }
  EXPECT_EQ(table.size(), 65'537U);
  EXPECT_EQ(table.enter("stays", 1), stays);
}

TEST(SeriesCount, CountsEachFingerprintOnceAndRemembersNoMoreThanAllowed) {
  SeriesCount count;
  for (int round = 0; round < 3; ++round) {
    for (uint32_t i = 0; i < 1000; ++i) EXPECT_EQ(count.add(i * 2654435761U, 1000), round == 0) << i;
  }
  EXPECT_EQ(count.size(), 1000U);
  EXPECT_TRUE(count.add(77, 1000));
  EXPECT_TRUE(count.add(77, 1000)) << "there is no room to remember it";
  EXPECT_EQ(count.size(), 1000U);
}

}  // namespace
}  // namespace monitor::server
