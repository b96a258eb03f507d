// The encoder that takes ticks, the decoders that remember series sets, and the server's check.
#include <gtest/gtest.h>

#include <algorithm>

#include "base/random.h"
#include "metrics/check.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "metrics/resource.h"
#include "payload/batch_decoder.h"
#include "payload/check.h"
#include "payload/decode.h"
#include "payload/encode.h"
#include "payload/table.h"
#include "payload/testing/random_batches.h"
#include "payload/tick_encoder.h"

namespace monitor::payload {
namespace {

using metrics::Batch;
using metrics::Frame;
using metrics::Point;
using metrics::SeriesId;
using metrics::SeriesTable;
using metrics::Tick;

// A batch passed to a writer tick by tick, with numbers of a table that other series use as well.
class Agent {
 public:
  Agent() {
    for (int i = 0; i < 5; ++i) (void)table_.intern({.name = "other" + std::to_string(i)});
  }
  // Nothing if the batch has a series that a table cannot have twice.
  std::optional<std::string> write(metrics::BatchWriter& writer, const Batch& batch) {
    std::vector<SeriesId> ids;
    for (const auto& series : batch.series) ids.push_back(*table_.intern(series));
    for (const Frame& frame : batch.frames) {
      Tick tick{frame.time_ns, frame.rates_since_ns, frame.points, 0};
      for (Point& point : tick.points) point.series = ids[point.series];
      if (!writer.add(tick, frame.continued)) return std::nullopt;
    }
    EXPECT_EQ(writer.frames(), batch.frames.size());
    auto bytes = writer.close(batch);
    EXPECT_TRUE(bytes.ok());
    EXPECT_TRUE(writer.empty());
    return bytes.ok() ? std::optional(*bytes) : std::nullopt;
  }
  SeriesTable& table() { return table_; }

 private:
  SeriesTable table_{1'000'000, SeriesTable::Edge::kAsIs};
};

// Every series is used, in the order of their first use, as an agent numbers them.
Batch renumbered(const Batch& batch) { return *metrics::decode_batch(metrics::encode_batch(batch)); }

TEST(TickEncoder, WritesWhatV1WouldHaveSaid) {
  Agent agent;
  TickEncoder v2(agent.table());
  metrics::BatchEncoder v1(agent.table());
  SeededRandom random(21);
  for (int i = 0; i < 2000; ++i) {
    const Batch batch = random_batch(random).batch;
    const auto expected = agent.write(v1, batch);
    const auto bytes = agent.write(v2, batch);
    ASSERT_TRUE(expected && bytes);
    const auto back = decode(*bytes, batch.agent_id);
    ASSERT_TRUE(back.ok()) << back.error().message();
    ASSERT_EQ(exact_text(*back), exact_text(*metrics::decode_batch(*expected)));
    ASSERT_EQ(*bytes, *encode(*back)) << "one form, whoever writes it";
  }
}

TEST(TickEncoder, ReleasedNumbersAreNotConfused) {
  Agent agent;
  TickEncoder writer(agent.table());
  Batch batch;
  batch.agent_id = batch.hostname = "a";
  batch.incarnation = std::string(16, 'i');
  batch.sequence = 1;
  for (int i = 0; i < 4; ++i) {
    // The second name gets the number of the first.
    batch.series = {i % 2 == 0 ? table()[0].series : metrics::Series{.name = "made"}};
    Frame frame{1'000'000'000, 0, {Point{.series = 0}}};
    batch.frames = {frame};
    const auto bytes = agent.write(writer, batch);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(decode(*bytes, "a")->series[0], batch.series[0]);
    agent.table().release({*agent.table().find(batch.series[0])});
  }
}

// A batch ends where one of v1 ends, or before, so that each can be sent as v1.
TEST(TickEncoder, EveryBatchFitsIntoV1) {
  SeriesTable table;
  TickEncoder writer(table);
  SeededRandom random(5);
  std::vector<SeriesId> ids;
  for (int i = 0; i < 3000; ++i) {
    metrics::Series series{.name = "metric.of.a.plugin", .labels = {{"n", std::to_string(i)}}};
    series.integer = i % 3 != 0;
    ids.push_back(*table.intern(series));
  }
  metrics::Envelope envelope;
  envelope.agent_id = envelope.hostname = "a";
  envelope.incarnation = std::string(16, 'i');
  size_t batches = 0;
  size_t points = 0;
  Tick tick{1'000'000'000, 0, {}, 0};
  const auto close = [&] {
    points += writer.points();
    envelope.sequence = ++batches;
    const auto bytes = writer.close(envelope);
    ASSERT_TRUE(bytes.ok());
    const auto batch = decode(*bytes, "a");
    ASSERT_TRUE(batch.ok());
    const std::string v1 = metrics::encode_batch(*batch);
    const auto view = metrics::check_batch(v1);
    ASSERT_TRUE(view.ok()) << view.error().message();
    size_t held = 0;
    for (const Frame& frame : batch->frames) held += frame.points.size();
    EXPECT_EQ(view->points, held);
  };
  size_t made = 0;
  for (int t = 0; t < 60; ++t, tick.time_ns += 1'000'000'000) {
    tick.points.clear();
    for (const SeriesId id : ids) {
      Point point{.series = id};
      point.integer = static_cast<int64_t>(random.next() >> random.below(64));
      if (!table.at(id).integer) point.real = static_cast<double>(random.below(1000)) / 8;
      tick.points.push_back(point);
    }
    made += tick.points.size();
    for (size_t done = 0; done < tick.points.size();) {
      done += writer.add_part(tick, done);
      if (done < tick.points.size()) close();
    }
  }
  close();
  EXPECT_EQ(points, made);
  EXPECT_GT(batches, 5U);
}

TEST(BatchDecoder, DecodesAsOneRecordAlone) {
  BatchDecoder decoder;
  EnvelopeDecoder envelopes;
  SeededRandom random(8);
  std::vector<RandomBatch> all;
  for (int i = 0; i < 60; ++i) all.push_back(random_batch(random));
  for (int i = 0; i < 1000; ++i) {
    const Batch& batch = all[random.below(all.size())].batch;
    const std::string bytes = *encode(batch);
    Batch expected = *decode(bytes, batch.agent_id);
    const auto envelope = envelopes.decode(bytes, batch.agent_id);
    ASSERT_TRUE(envelope.ok());
    ASSERT_EQ((*envelope)->frames.size(), expected.frames.size());
    for (size_t f = 0; f < expected.frames.size(); ++f) {
      ASSERT_EQ((*envelope)->frames[f].points.size(), expected.frames[f].points.size());
      ASSERT_EQ((*envelope)->frames[f].time_ns, expected.frames[f].time_ns);
    }
    metrics::carry_resource(expected);
    const auto decoded = decoder.decode(bytes, batch.agent_id);
    ASSERT_TRUE(decoded.ok()) << decoded.error().message();
    ASSERT_EQ(exact_text(**decoded), exact_text(expected));
  }
}

// What the server lets pass can be decoded, and it refuses nothing else but claims that no agent makes.
TEST(BatchChecker, AcceptsWhatReadersDecode) {
  BatchChecker checker({});
  SeededRandom random(9);
  size_t refused = 0;
  for (int i = 0; i < 300; ++i) {
    const std::string bytes = *encode(random_batch(random).batch);
    for (int k = 0; k < 40; ++k) {
      std::string damaged = bytes;
      if (k > 0) damaged[random.below(damaged.size())] = static_cast<char>(random.next());
      const auto view = checker.check(damaged, "a");
      const auto batch = decode(damaged, "a");
      if (!batch.ok()) {
        ++refused;
        ASSERT_FALSE(view.ok());
        ASSERT_EQ(view.error().code(), batch.error().code());
        continue;
      }
      if (!view.ok()) continue;  // a claim
      EXPECT_EQ(view->sequence, batch->sequence);
      EXPECT_EQ(view->incarnation, batch->incarnation);
      EXPECT_EQ(view->first_unacked, batch->first_unacked);
      EXPECT_EQ(view->ticks_due, batch->counters.ticks_due);
      EXPECT_EQ(view->frames, batch->frames.size());
      EXPECT_EQ(view->series, batch->series.size());
      // The record of v1 that the batch would be says the same.
      const auto v1 = metrics::check_batch(metrics::encode_batch(*batch));
      if (v1.ok()) {
        EXPECT_EQ(view->points, v1->points);
      }
    }
  }
  EXPECT_GT(refused, 1000U);
}

TEST(BatchChecker, NumbersListsOfSeries) {
  BatchChecker checker({});
  SeededRandom random(10);
  std::vector<Batch> batches;
  while (batches.size() < 3) {
    Batch batch = renumbered(random_batch(random).batch);
    if (!batch.frames.empty() && checker.check(*encode(batch), "a").ok()) batches.push_back(std::move(batch));
  }
  const auto list = [&](size_t i) { return checker.check(*encode(batches[i]), "a")->list_id; };
  EXPECT_NE(list(0), list(1));
  EXPECT_EQ(list(2), list(2));
  EXPECT_NE(list(0), 0U);
  const std::string bytes = *encode(batches[0]);
  EXPECT_EQ(*checker.wire_series(bytes, "a"), metrics::encode_series(batches[0].series));
}

}  // namespace
}  // namespace monitor::payload
