// Compares the batch's wire form with protobuf's own code, in both directions. check_batch() and decode_batch() must
// reject the same batches.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/random.h"
#include "metrics/check.h"
#include "metrics/claims.h"
#include "metrics/decode.h"
#include "metrics/encode.h"
#include "metrics/json_form.h"
#include "monitor/v1/metrics.pb.h"

namespace monitor::metrics {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000'000;

Envelope example_envelope() {
  Envelope e;
  e.agent_id = "agent-001";
  e.hostname = "host";
  e.incarnation = std::string(16, '\x07');
  e.sequence = 7;
  e.config_revision = 42;
  e.resource = {{"rack", "r1"}, {"site", "eu"}};
  e.first_unacked = 5;
  e.counters = {100, 3, 800, {{"plugin", "filtered", 1, 2, 8}}};
  e.drops = {{"plugin", "filtered", 1, 2, 8, "filter", std::string(16, '\x07'), 3, 4, kStart, kStart + 1}};
  e.appended_ns = kStart + 5;
  e.ended = {{std::string(16, '\x01'), 99, kStart - 5, true}};
  e.older = {{std::string(16, '\x02'), 12}};
  e.agent_version = "1.2.3";
  e.send_every_ns = 1'000'000'000;
  e.final_batch = true;
  e.elsewhere = {{std::string(16, '\x07'), "sqlite:abc", 1, 4}, {std::string(16, '\x02'), "kafka:c/topic", 5, 9}};
  return e;
}

// Series of both kinds, and frames of which the third has other series.
struct Example {
  SeriesTable table;
  std::vector<Tick> ticks;
  Example() {
    const auto cpu = *table.intern({"system.cpu.utilization", {}, "1", Kind::kGauge, true, -4});
    const auto disk = *table.intern({"system.disk.io", {{"direction", "read"}}, "By", Kind::kCounter, true, 0});
    const auto real = *table.intern({"custom", {}, "1", Kind::kGauge, false, 0});
    for (int i = 0; i < 4; ++i) {
      Tick tick{kStart + i * kNanos, i == 0 ? 0 : kStart + (i - 1) * kNanos, {}, 0};
      Point a{cpu, 0, {}};
      a.integer = 1234 - i * 700;
      Point b{disk, 0, {}};
      b.integer = INT64_MAX - i;
      Point c{real, 0, {}};
      c.real = i == 1 ? std::nan("") : 0.1 * i;
      tick.points = {a, b};
      if (i != 2) tick.points.push_back(c);
      ticks.push_back(tick);
    }
  }
  static constexpr int64_t kNanos = 100'000'000;
  std::string encode(const Envelope& envelope) {
    BatchEncoder encoder(table);
    for (const Tick& tick : ticks) EXPECT_TRUE(encoder.add(tick));
    return encoder.finish(envelope);
  }
};

TEST(Codec, ProtobufReadsTheSame) {
  Example example;
  v1::MetricBatch message;
  ASSERT_TRUE(message.ParseFromString(example.encode(example_envelope())));
  EXPECT_EQ(message.agent_id(), "agent-001");
  EXPECT_EQ(message.sequence(), 7U);
  EXPECT_EQ(message.resource(1).value(), "eu");
  EXPECT_EQ(message.counters().dropped(0).points(), 8U);
  EXPECT_EQ(message.drops(0).last_time(), kStart + 1);
  EXPECT_EQ(message.series_size(), 3);
  EXPECT_EQ(message.series(0).exponent(), -4);
  EXPECT_EQ(message.series(1).kind(), v1::COUNTER);
  ASSERT_EQ(message.frames_size(), 4);
  EXPECT_EQ(message.frames(1).series_size(), 0) << "unchanged series must not be repeated";
  EXPECT_EQ(message.frames(2).series_size(), 2);
  EXPECT_EQ(message.frames(1).ints(0), -700) << "integers are encoded as differences";
  EXPECT_DOUBLE_EQ(message.frames(3).doubles(0), 0.1 * 3);
  EXPECT_TRUE(message.ended(0).clean());
  EXPECT_EQ(message.older(0).first_unacked(), 12U);
  ASSERT_EQ(message.elsewhere_size(), 2);
  EXPECT_EQ(message.elsewhere(1).log(), "kafka:c/topic");
  EXPECT_EQ(message.elsewhere(1).last_sequence(), 9U);
  EXPECT_EQ(message.send_every_ns(), 1'000'000'000U);
  EXPECT_TRUE(message.final());
}

TEST(Codec, RoundTripKeepsEverything) {
  Example example;
  const std::string bytes = example.encode(example_envelope());
  const auto batch = decode_batch(bytes);
  ASSERT_TRUE(batch) << batch.error().to_string();
  EXPECT_EQ(batch->frames.size(), 4U);
  EXPECT_EQ(batch->frames[3].points[1].integer, INT64_MAX - 3);
  EXPECT_TRUE(std::isnan(batch->frames[1].points[2].real));
  EXPECT_DOUBLE_EQ(batch->value(batch->frames[0].points[0]), 0.1234);
  EXPECT_EQ(encode_batch(*batch), bytes);

  const auto view = check_batch(bytes);
  ASSERT_TRUE(view);
  EXPECT_EQ(view->points, 11U);
  EXPECT_EQ(view->series, 3U);
  EXPECT_EQ(view->last_time_ns, kStart + 3 * Example::kNanos);
}

TEST(Codec, ReadsProtobufsOwnEncoding) {
  Example example;
  v1::MetricBatch message;
  ASSERT_TRUE(message.ParseFromString(example.encode(example_envelope())));
  const auto batch = decode_batch(message.SerializeAsString());
  ASSERT_TRUE(batch) << batch.error().to_string();
  EXPECT_EQ(batch->frames[3].points[1].integer, INT64_MAX - 3);
}

TEST(Codec, CheckAndDecodeRejectTheSameBatches) {
  Example example;
  const std::string good = example.encode(example_envelope());
  SeededRandom random(1);
  BatchChecker checker{BatchLimits{}};  // its memory must not change what it accepts
  ASSERT_TRUE(checker.check(good));
  size_t refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    const size_t edits = 1 + random.below(3);
    for (size_t i = 0; i < edits; ++i) bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.below(4) == 0) bytes.resize(random.below(bytes.size()));
    const bool checked = check_batch(bytes).ok();
    const auto decoded = decode_batch(bytes);
    const bool plausible =
        decoded && check_claims(*decoded).ok() && std::ranges::all_of(decoded->frames, [](const Frame& frame) {
          return std::max(frame.time_ns, frame.rates_since_ns) <= kMaxTimeNs;
        });
    ASSERT_EQ(checked, plausible);
    ASSERT_EQ(checked, checker.check(bytes).ok());
    refused += checked ? 0 : 1;
  }
  EXPECT_GT(refused, 1'000U);
}

TEST(Codec, CheckerSummarizesAKnownListAsBefore) {
  Example example;
  const std::string bytes = example.encode(example_envelope());
  BatchChecker checker{BatchLimits{}};
  for (int round = 0; round < 2; ++round) {
    const auto view = checker.check(bytes);
    ASSERT_TRUE(view) << view.error().to_string();
    EXPECT_EQ(view->series, 3U);
    EXPECT_EQ(view->points, 11U);
    EXPECT_EQ(view->agent_id, "agent-001");
  }
  // A heartbeat has no list, and must not inherit that of the previous batch.
  BatchEncoder encoder(example.table);
  const auto heartbeat = checker.check(encoder.finish(example_envelope()));
  ASSERT_TRUE(heartbeat);
  EXPECT_EQ(heartbeat->series, 0U);
}

TEST(Codec, ErrorsNameValueAndLimit) {
  Example example;
  const std::string bytes = example.encode(example_envelope());
  BatchLimits limits;
  limits.points = 10;
  const auto view = check_batch(bytes, limits);
  ASSERT_FALSE(view);
  EXPECT_EQ(view.error().code(), Code::kResourceExhausted);
  EXPECT_EQ(view.error().message(), "batch: number of points is 11, the limit is 10");

  Envelope bad = example_envelope();
  bad.agent_id = "no/slash";
  Example again;
  EXPECT_EQ(check_batch(again.encode(bad)).error().code(), Code::kInvalidArgument);
}

TEST(Codec, AddRejectsATickThatDoesNotFit) {
  SeriesTable table;
  BatchEncoder encoder(table);
  Tick tick{kStart, 0, {}, 0};
  for (int i = 0; i < 2'000; ++i) {
    Point point{*table.intern({"m" + std::to_string(i), {}, "1", Kind::kGauge, false, 0}), 0, {}};
    point.real = i;
    tick.points.push_back(point);
  }
  size_t added = 0;
  while (encoder.add(tick)) ++added;
  EXPECT_GE(added, 3U);
  const std::string bytes = encoder.finish(example_envelope());
  EXPECT_LE(bytes.size(), kMaxBatchBytes);
  const auto batch = decode_batch(bytes);
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->frames.size(), added);
  EXPECT_TRUE(encoder.empty());
}

TEST(Codec, SpreadsATickThatIsTooLargeForOneBatch) {
  SeriesTable table;
  BatchEncoder encoder(table);
  Tick tick{kStart, kStart - 1, {}, 0};
  constexpr int kPoints = 18'441;  // 2,048 processors with per-mode series
  for (int i = 0; i < kPoints; ++i) {
    const Labels labels = {{"cpu.logical_number", std::to_string(i)}, {"cpu.mode", "interrupt"}};
    Point point{*table.intern({"system.cpu.utilization", labels, "1", Kind::kGauge, i % 2 == 0, 0}), 0, {}};
    if (i % 2 == 0) {
      point.integer = i;
    } else {
      point.real = i;
    }
    tick.points.push_back(point);
  }
  EXPECT_FALSE(encoder.add(tick));
  EXPECT_TRUE(encoder.empty());
  size_t ticks = 0;
  int seen = 0;
  for (size_t done = 0; done < tick.points.size();) {
    const size_t taken = encoder.add_part(tick, done);
    ASSERT_GT(taken, 0U);
    ticks += encoder.ticks();
    const std::string bytes = encoder.finish(example_envelope());
    EXPECT_LE(bytes.size(), kMaxBatchBytes);
    const auto batch = decode_batch(bytes);
    ASSERT_TRUE(batch) << batch.error().to_string();
    ASSERT_EQ(batch->frames.size(), 1U);
    EXPECT_EQ(batch->frames[0].continued, done > 0);
    EXPECT_EQ(encode_batch(*batch), bytes);
    EXPECT_EQ(batch_to_json(*batch_from_json(batch_to_json(*batch))), batch_to_json(*batch));
    for (const Point& point : batch->frames[0].points) {
      EXPECT_EQ(label_value(batch->series[point.series].labels, "cpu.logical_number"), std::to_string(seen));
      EXPECT_EQ(batch->value(point), seen++);
    }
    done += taken;
  }
  EXPECT_EQ(seen, kPoints);
  EXPECT_EQ(ticks, 1U);
}

TEST(Codec, AddRespectsEveryLimitOfTheDecoder) {
  SeriesTable table;
  BatchEncoder encoder(table);
  Tick tick{kStart, 0, {}, 0};
  for (int i = 0; i < 1'500; ++i) {
    tick.points.push_back({*table.intern({"m" + std::to_string(i), {}, "1", Kind::kGauge, true, 0}), 0, {}});
  }
  size_t added = 0;
  while (encoder.add(tick)) ++added;  // unchanged values take one byte each
  const auto batch = decode_batch(encoder.finish(example_envelope()));
  ASSERT_TRUE(batch) << batch.error().to_string();
  EXPECT_EQ(batch->frames.size(), added);

  tick.points.resize(1);
  for (added = 0; encoder.add(tick); ++added) {
  }
  const auto frames = decode_batch(encoder.finish(example_envelope()));
  ASSERT_TRUE(frames) << frames.error().to_string();
  EXPECT_EQ(frames->frames.size(), added);
}

TEST(SeriesTable, ReusesTheNumbersOfReleasedSeries) {
  SeriesTable table(4);
  const auto named = [](const std::string& name) { return Series{name, {}, "1", Kind::kGauge, true, 0}; };
  for (const char* const name : {"a", "b", "c", "d"}) ASSERT_TRUE(table.intern(named(name)));
  EXPECT_EQ(table.intern(named("e")), std::nullopt);
  EXPECT_EQ(table.refusals(), 1U);
  table.keep_until(0, 100);
  table.keep_until(1, 20);
  table.keep_until(2, 10);
  table.keep_until(2, 5);
  table.keep_until(3, 1);
  EXPECT_EQ(table.unneeded(50, 9, {}), (std::vector<SeriesId>{3, 2, 1})) << "those unused for longest come first";
  EXPECT_EQ(table.unneeded(50, 2, {false, false, false, true}), (std::vector<SeriesId>{2, 1})) << "3 is held";
  table.release({2, 1});
  EXPECT_EQ(table.epoch(), 1U);
  EXPECT_EQ(table.size(), 2U);
  EXPECT_EQ(table.room(), 2U);
  EXPECT_EQ(table.find(named("b")), std::nullopt);
  EXPECT_TRUE(table.unneeded(50, 9, {false, false, false, true}).empty()) << "a free number is not an unneeded series";
  const auto e = table.intern(named("e"));
  ASSERT_TRUE(e);
  EXPECT_LT(*e, table.bound());
  EXPECT_EQ(table.at(*e).name, "e");
  EXPECT_EQ(table.intern(named("a")), 0U);
}

TEST(SeriesTable, TruncatesLabelValuesAndReportsOtherFaults) {
  SeriesTable table;
  const std::string long_value(5'000, 'v');
  const auto a = table.intern({"m", {{"path", long_value + "a"}}, "1", Kind::kGauge, true, 0});
  const auto b = table.intern({"m", {{"path", long_value + "b"}}, "1", Kind::kGauge, true, 0});
  ASSERT_TRUE(a && b);
  EXPECT_NE(*a, *b) << "different values must stay different";
  EXPECT_EQ(table.find({"m", {{"path", long_value + "a"}}, "1", Kind::kGauge, true, 0}), a);
  EXPECT_EQ(table.at(*a).labels[0].second.size(), BatchLimits{}.value_bytes);
  const auto invalid = table.intern({"m", {{"path", "\xff"}}, "1", Kind::kGauge, true, 0});
  EXPECT_EQ(table.at(*invalid).labels[0].second, "\xef\xbf\xbd");
  EXPECT_EQ(table.series_cut(), 3U);
  EXPECT_EQ(table.unfit(), 0U);

  Series many{"m", {}, "1", Kind::kGauge, true, 0};
  for (int i = 0; i < 33; ++i) set_label(many.labels, "label" + std::to_string(i), "x");
  EXPECT_EQ(table.fault(*table.intern(many)), "it has 33 labels, the limit is 32");
  EXPECT_EQ(table.fault(*table.intern({std::string(257, 'n'), {}, "1", Kind::kGauge, true, 0})),
            "its name has 257 bytes, the limit is 256");
  EXPECT_EQ(table.fault(*table.intern({"m", {{"", "x"}}, "1", Kind::kGauge, true, 0})), "a label has no name");
  EXPECT_EQ(table.fault(*table.intern({"m", {}, "\xff", Kind::kGauge, true, 0})), "its unit is not valid UTF-8");
  EXPECT_EQ(table.unfit(), 4U);
  EXPECT_EQ(table.fault(*a), "");
}

TEST(JsonForm, RoundTripKeepsEverything) {
  Example example;
  auto batch = decode_batch(example.encode(example_envelope()));
  ASSERT_TRUE(batch);
  const std::string text = batch_to_json(*batch);
  const auto back = batch_from_json(text);
  ASSERT_TRUE(back) << back.error().to_string();
  EXPECT_EQ(batch_to_json(*back), text);
  EXPECT_EQ(back->frames[3].points[1].integer, INT64_MAX - 3);
}

TEST(JsonForm, WritesOneTick) {
  SeriesTable table;
  BatchEncoder encoder(table);
  Tick tick{kStart + 123'456'789, 0, {}, 0};
  Point point{*table.intern({"system.cpu.utilization", {}, "1", Kind::kGauge, true, -4}), 0, {}};
  point.integer = 1230;
  tick.points = {point};
  ASSERT_TRUE(encoder.add(tick));
  const auto batch = decode_batch(encoder.finish(example_envelope()));
  ASSERT_TRUE(batch);
  EXPECT_EQ(tick_to_json(*batch, 0, false),
            R"({"time":"2023-11-14T22:13:20.123456789Z","agent":"agent-001","host":"host",)"
            R"("incarnation":"07070707070707070707070707070707","sequence":7,"frame":0,"config_revision":42,)"
            R"("late":false,"metrics":[{"name":"system.cpu.utilization","unit":"1","labels":{},"value":0.123}]})");
}

TEST(JsonForm, RejectsGarbage) {
  for (const char* text : {"", "[]", "{}", "null", R"({"agent":1})", "{\"agent\":\"a\"}"}) {
    EXPECT_FALSE(batch_from_json(text)) << text;
  }
}

// Decoding only the envelope gives the same envelope as decoding the whole batch.
TEST(Codec, EnvelopeDecoderAgreesWithDecodeBatch) {
  EnvelopeDecoder envelopes;
  for (int i = 0; i < 3; ++i) {
    Example example;
    Envelope with = example_envelope();
    with.sequence = static_cast<uint64_t>(i) + 1;
    const std::string bytes = example.encode(with);
    const auto whole = decode_batch(bytes);
    const auto envelope = envelopes.decode(bytes);
    ASSERT_TRUE(whole && envelope);
    Batch expected = *whole;
    expected.series.clear();
    expected.resource.clear();
    ASSERT_EQ((*envelope)->frames.size(), expected.frames.size());
    for (size_t f = 0; f < expected.frames.size(); ++f) {
      EXPECT_EQ((*envelope)->frames[f].time_ns, expected.frames[f].time_ns);
      EXPECT_EQ((*envelope)->frames[f].points.size(), expected.frames[f].points.size());
    }
    Batch without = **envelope;
    expected.frames.clear();
    without.frames.clear();
    EXPECT_EQ(encode_batch(without), encode_batch(expected));
  }
  EXPECT_FALSE(envelopes.decode("nonsense"));
}

class ForgedClaims : public ::testing::Test {
 protected:
  // The server's error for a forged batch; "" if it accepts the batch. Readers must accept every one.
  static std::string refusal(const std::function<void(Envelope&)>& forge) {
    Envelope envelope = example_envelope();
    envelope.sequence = 1000;
    envelope.first_unacked = 990;
    forge(envelope);
    Example example;
    const std::string bytes = example.encode(envelope);
    EXPECT_TRUE(decode_batch(bytes).ok());
    EXPECT_TRUE(EnvelopeDecoder().decode(bytes).ok());
    BatchChecker checker{BatchLimits{}};
    const auto checked = checker.check(bytes);
    EXPECT_EQ(checked.ok(), check_batch(bytes).ok());
    return checked ? "" : checked.error().message();
  }
  static Drop drop(uint64_t first, uint64_t last) {
    Drop drop;
    drop.incarnation = std::string(kIncarnationBytes, 'o');
    drop.stage = "spool";
    drop.reason = "full";
    drop.first_sequence = first;
    drop.last_sequence = last;
    return drop;
  }
};

TEST_F(ForgedClaims, AreRejectedWithValueAndLimit) {
  const std::string other(kIncarnationBytes, 'o');
  const auto bound = [](uint64_t value) { return std::to_string(value); };
  EXPECT_EQ(refusal([](Envelope&) {}), "");
  EXPECT_EQ(refusal([](Envelope& e) { e.sequence = UINT64_MAX; }),
            "batch: sequence is " + bound(UINT64_MAX) + ", the limit is " + bound(kMaxSequence));
  EXPECT_EQ(refusal([](Envelope& e) { e.first_unacked = 1001; }),
            "batch: first_unacked is 1001, the limit is its sequence, 1000");
  const std::vector<std::function<void(Envelope&)>> forgeries = {
      [](Envelope& e) { e.sequence = e.first_unacked = kMaxSequence + 1; },
      [](Envelope& e) { e.first_unacked = UINT64_MAX; },
      [](Envelope& e) { e.appended_ns = INT64_MAX; },
      [](Envelope& e) { e.appended_ns = -1; },
      [](Envelope& e) { e.counters.ticks_due = UINT64_MAX; },
      [](Envelope& e) { e.counters.ticks_missed = uint64_t{1} << 63; },
      [](Envelope& e) { e.counters.points_made = UINT64_MAX; },
      [](Envelope& e) { e.counters.dropped = {{"spool", "full", uint64_t{1} << 63, 0, 0}}; },
      [](Envelope& e) { e.counters.dropped = {{"spool", "full", 0, UINT64_MAX, 0}}; },
      [](Envelope& e) { e.counters.dropped = {{"spool", "full", 0, 0, UINT64_MAX}}; },
      [](Envelope& e) { e.drops = {drop(9, 8)}; },
      [](Envelope& e) { e.drops = {drop(0, 8)}; },
      [](Envelope& e) { e.drops = {drop(1, UINT64_MAX)}; },
      [](Envelope& e) { (e.drops = {drop(999, 1000)})[0].incarnation = e.incarnation; },
      [](Envelope& e) { (e.drops = {drop(1, 2)})[0].batches = uint64_t{1} << 63; },
      [](Envelope& e) { (e.drops = {drop(1, 2)})[0].first_time_ns = INT64_MIN; },
      [](Envelope& e) { (e.drops = {drop(1, 2)})[0].last_time_ns = INT64_MAX; },
      [](Envelope& e) { e.ended = {{e.incarnation, 5, 0, true}}; },
      [&](Envelope& e) { e.ended = {{other, uint64_t{1} << 60, 0, true}}; },
      [&](Envelope& e) { e.ended = {{other, 5, INT64_MAX, true}}; },
      [&](Envelope& e) { e.older = {{other, UINT64_MAX}}; },
      [&](Envelope& e) { e.elsewhere = {{other, "sqlite:x", 1, UINT64_MAX}}; },
      [&](Envelope& e) { e.elsewhere = {{other, "sqlite:x", 3, 2}}; },
      [&](Envelope& e) { e.elsewhere = {{other, "sqlite:x", 0, 2}}; },
      [](Envelope& e) { e.elsewhere = {{e.incarnation, "sqlite:x", 1, e.sequence}}; },
  };
  for (size_t i = 0; i < forgeries.size(); ++i) EXPECT_NE(refusal(forgeries[i]), "") << "forgery " << i;
}

TEST_F(ForgedClaims, ClaimsOfAnAgentAfterYearsAreAccepted) {
  EXPECT_EQ(refusal([](Envelope& e) {
              e.sequence = 40'000'000'000;  // a batch every 10 ms for 12 years
              e.first_unacked = 1;
              e.counters = {e.sequence, 7, e.sequence * 20'000, {{"plugin", "filtered", 0, 0, 1U << 31, "p"}}};
              e.drops = {drop(1, e.sequence - 1), drop(0, 0)};
              e.drops[0].incarnation = e.incarnation;
              e.ended = {{std::string(kIncarnationBytes, 'o'), 0, 0, false}};
            }),
            "");
}

TEST_F(ForgedClaims, RejectsOnlyTimesAfter2200) {
  SeriesTable table;
  const auto check = [&](int64_t time_ns) {
    BatchEncoder encoder(table);
    Point point{*table.intern({"m", {}, "1", Kind::kGauge, false, 0}), 0, {}};
    EXPECT_TRUE(encoder.add(Tick{time_ns, 0, {point}, 0}));
    return check_batch(encoder.finish(example_envelope())).ok();
  };
  EXPECT_TRUE(check(1)) << "a host without a battery-backed clock starts in 1970";
  EXPECT_TRUE(check(kMaxTimeNs));
  EXPECT_FALSE(check(kMaxTimeNs + 1));
  EXPECT_FALSE(check(INT64_MAX));
}

}  // namespace
}  // namespace monitor::metrics
