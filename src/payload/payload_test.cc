// Round trips of random batches, and records that a decoder must refuse.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/hex.h"
#include "base/random.h"
#include "metrics/catalog/catalog.h"
#include "metrics/encode.h"
#include "payload/decode.h"
#include "payload/encode.h"
#include "payload/series_set.h"
#include "payload/table.h"
#include "payload/testing/random_batches.h"

namespace monitor::payload {
namespace {

using metrics::Batch;
using metrics::Point;

constexpr int64_t kTime = 1'790'000'000'000'000'000;
constexpr int64_t kSecond = 1'000'000'000;

// The default selection of one host at 1 s, as its agent sees it. `elapsed_ns` is what the rates are divided by.
Batch default_batch(size_t ticks = 1) {
  Batch batch;
  batch.agent_id = batch.hostname = "web-017";
  batch.incarnation = std::string("\1\2\3\4\5\6\7\x8", 8) + std::string(8, '\0');
  batch.sequence = batch.first_unacked = batch.counters.ticks_due = 300;
  batch.counters.points_made = 2400;
  batch.agent_version = "0.2.0";
  batch.send_every_ns = kSecond * ticks;
  for (uint32_t i = 0; i < 8; ++i) batch.series.push_back(table()[i].series);
  const auto rate = [](uint64_t growth, int64_t elapsed) { return *value_of(Form::kRate, growth, elapsed); };
  for (size_t tick = 0; tick < ticks; ++tick) {
    const int64_t time = kTime + static_cast<int64_t>(tick) * (kSecond + 10'000);
    metrics::Frame frame{time, time - kSecond - 10'000, {}};
    const int64_t elapsed = kSecond + 10'000;
    const auto step = static_cast<int64_t>(tick);
    const int64_t used = (500'000 + step * 3) * 4096;
    const int64_t limit = 2'000'000L * 4096;
    const std::array<int64_t, 8> values = {137 + step,
                                           *share_of(used, limit),
                                           used,
                                           limit,
                                           rate(0, elapsed),
                                           rate(77UL * 4096, elapsed),
                                           rate(1234 + tick, elapsed),
                                           rate(987'654'321, elapsed)};
    for (uint32_t i = 0; i < values.size(); ++i) {
      Point point{.series = i};
      point.integer = values[i];
      frame.points.push_back(point);
    }
    batch.frames.push_back(std::move(frame));
  }
  batch.appended_ns = batch.frames.back().time_ns + 200'000;
  return batch;
}

std::string encoded(const Batch& batch, const EncodeOptions& options = {}) {
  auto bytes = encode(batch, options);
  EXPECT_TRUE(bytes.ok()) << (bytes.ok() ? "" : bytes.error().message());
  return bytes.ok() ? std::move(*bytes) : std::string();
}

void expect_same(const Batch& batch, std::string_view bytes) {
  const auto back = decode(bytes, batch.agent_id);
  ASSERT_TRUE(back.ok()) << back.error().message() << '\n' << exact_text(batch);
  ASSERT_EQ(exact_text(*back), exact_text(batch));
}

TEST(Payload, RandomBatchesComeBackExactly) {
  SeededRandom random(1);
  for (int i = 0; i < 4000; ++i) {
    const RandomBatch one = random_batch(random);
    const std::string bytes = encoded(one.batch, {.elapsed_ns = one.elapsed_ns});
    expect_same(one.batch, bytes);
    const auto head = read_head(bytes);
    ASSERT_TRUE(head.ok());
    EXPECT_EQ(head->sequence, one.batch.sequence);
    EXPECT_EQ(head->incarnation, one.batch.incarnation);
    EXPECT_TRUE(is_payload(bytes));
    EXPECT_FALSE(is_payload(metrics::encode_batch(one.batch)));
  }
  EXPECT_FALSE(is_payload("{\"agent\":\"a\"}"));
  EXPECT_FALSE(is_payload("garbage"));
  EXPECT_FALSE(is_payload(""));
  EXPECT_TRUE(is_payload("\x3e")) << "a later version is one, too";
}

// What the format is for. A change that costs bytes must be seen.
TEST(Payload, DefaultSelectionIsSmall) {
  EXPECT_EQ(hex(encoded(default_batch())),
            "16"                // version 2, short incarnation
            "0102030405060708"  // incarnation
            "ac02"              // sequence 300
            "01"                // flags: one frame
            "00"                // revision of the configuration
            "8002"              // agent version 0.2.0
            "14"                // send_every 1 s
            "00306aafcca2"      // time
            "28"                // appended 200 us later
            "0102"              // rates_since 1 s and 10 us before
            "01"                // the default selection
            "8901"              // 1.37 %
            "a0c21e"            // pages in use
            "80897a"            // pages
            "00"                // pages read
            "4d"                // pages written
            "d209"              // bytes received
            "b1d1f9d603");      // bytes sent
  EXPECT_LE(encoded(default_batch(10)).size(), 90U);
}

TEST(Payload, AChangedValueTravelsAsItIs) {
  Batch batch = default_batch();
  const std::string before = encoded(batch);
  for (Point& point : batch.frames[0].points) point.integer = -point.integer - 1;
  const std::string after = encoded(batch);
  expect_same(batch, after);
  EXPECT_LE(after.size(), before.size() + 30);
}

TEST(Payload, ElapsedTimeOfAnotherClockCostsBytesNotValues) {
  // The wall clock was set by 3 ms between two ticks; the rates were divided by the monotonic time.
  Batch batch = default_batch();
  batch.frames[0].rates_since_ns -= 3'000'000;
  const std::string unexplained = encoded(batch);
  expect_same(batch, unexplained);
  const std::array elapsed = {kSecond + 10'000};
  const std::string explained = encoded(batch, {.elapsed_ns = elapsed});
  expect_same(batch, explained);
  EXPECT_LT(explained.size(), unexplained.size());
}

TEST(Payload, ARateGivesBackTheGrowthThatTheKernelCounted) {
  SeededRandom random(3);
  for (const auto& [form, unit] : {std::pair{Form::kRate, 1}, {Form::kSectorRate, 512}, {Form::kPageRate, 4096}}) {
    for (int i = 0; i < 2000; ++i) {
      const uint64_t growth = random.next() >> (24 + random.below(40));
      const auto elapsed = static_cast<int64_t>(1 + random.below(static_cast<uint64_t>(unit) * kSecond - 1));
      const auto rate = value_of(form, growth, elapsed);
      ASSERT_TRUE(rate);
      if (*rate == INT64_MAX) continue;
      EXPECT_EQ(integer_of(form, *rate, elapsed), growth) << elapsed << " ns, computation " << static_cast<int>(form);
    }
  }
  // Over ten seconds, several growths have the same rate, and each of them stands for all.
  EXPECT_EQ(value_of(Form::kRate, 1003, 10 * kSecond), 100);
  EXPECT_EQ(integer_of(Form::kRate, int64_t{100}, 10 * kSecond), 1000U);
  EXPECT_EQ(integer_of(Form::kPageRate, int64_t{100}, kSecond), std::nullopt) << "no number of pages has this rate";
}

// A metric that the catalog gets later needs no row: its series travel with their names.
TEST(Payload, RowsAreThoseOfTheCatalog) {
  for (const Row& row : table()) {
    ASSERT_NE(metrics::find_metric(row.series.name), nullptr) << row.series.name;
    EXPECT_EQ(row.series, metrics::declared_series(row.series.name, row.series.labels)) << row.series.name;
    std::vector<std::string> values(row.slots.size(), "v");
    const uint32_t number = row_of(series_of(row, values));
    ASSERT_NE(number, kNoRow) << row.series.name;
    EXPECT_EQ(&table()[number], &row) << "two rows have the same series";
  }
}

// A prefix of a record is never a record, and no byte of one may crash or loop.
TEST(Payload, RefusesDamagedRecords) {
  SeededRandom random(7);
  for (int i = 0; i < 300; ++i) {
    const RandomBatch one = random_batch(random);
    const std::string bytes = encoded(one.batch, {.elapsed_ns = one.elapsed_ns});
    for (size_t size = 0; size < bytes.size(); size += 1 + size / 7) {
      const auto back = decode(std::string_view(bytes).substr(0, size), "a");
      ASSERT_FALSE(back.ok());
      EXPECT_TRUE(back.error().message().starts_with("payload: ")) << back.error().message();
    }
    EXPECT_FALSE(decode(bytes + '\0', "a").ok());
    for (int k = 0; k < 50; ++k) {
      std::string damaged = bytes;
      damaged[random.below(damaged.size())] = static_cast<char>(random.next());
      const auto back = decode(damaged, "a");
      if (!back.ok()) continue;
      // What was decoded can be written and read again.
      expect_same(*back, encoded(*back));
    }
  }
}

struct Hostile {
  const char* what;
  std::string tail;  // after the head, the flags and the rest of the envelope
  uint64_t flags;
  Code code;
  const char* message;
};

std::string inline_set(std::string_view form) {
  std::string bytes(1, '\0');
  put_text(bytes, form);
  return bytes;
}

TEST(Payload, RefusesHostileClaimsWithAReason) {
  const std::string time("\1\0\0\0\0\0", 6);
  const std::string one = time + std::string("\0\0", 2);  // appended, no rates
  const std::string all("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10);
  const std::string many = "\xff\xff\xff\x7f";
  const std::vector<Hostile> cases = {
      {"frames", many, 0, Code::kResourceExhausted,
       "the number of frames at byte 18: is 268435455, the limit is 10000"},
      {"points", "\x90\x4e" + time + std::string(4, '\0') + inline_set({"\x0b\1\0\x0b", 4}), 0,
       Code::kResourceExhausted, "the number of points"},
      {"flags", "", 1024, Code::kUnimplemented, "0x400 has bits that this version does not know"},
      {"integer", std::string(11, '\xff'), 0, Code::kInvalidArgument, "an integer of more than 64 bits"},
      {"time", std::string(6, '\0') + std::string("\0\0\1", 3), 1, Code::kInvalidArgument, "the times"},
      {"standard set", one + "\x08", 1, Code::kInvalidArgument, "7 is no standard set"},
      {"series", one + inline_set(many), 1, Code::kResourceExhausted, "the number of series"},
      {"row", one + inline_set("\1\x7f"), 1, Code::kInvalidArgument, "124 to 124 are not all known"},
      {"run", one + inline_set({"\2\1\0\3", 4}), 1, Code::kResourceExhausted, "the length of a run"},
      {"run of nothing", one + inline_set({"\2\1\0\0", 4}), 1, Code::kInvalidArgument, "is 0"},
      {"run over slots", one + inline_set("\2\1\x0f\2"), 1, Code::kInvalidArgument,
       "row 16 has other slots than row 15"},
      {"repetition of nothing", one + inline_set("\2\2\1"), 1, Code::kInvalidArgument, "follows no entry with values"},
      {"repetition without values", one + inline_set("\2\3\2\1"), 1, Code::kInvalidArgument,
       "follows no entry with values"},
      {"repetitions",
       one + inline_set({"\2\x13\0\1"
                         "0\2\2",
                         7}),
       1, Code::kResourceExhausted, "the number of repetitions"},
      {"size of a set", one + std::string("\0\x7f", 2), 1, Code::kInvalidArgument, "needs 127 bytes"},
      {"bytes after a set", one + inline_set("\1\3x"), 1, Code::kInvalidArgument, "1 bytes follow it"},
      {"prefix", one + inline_set("\1\x13\5"), 1, Code::kResourceExhausted, "a common prefix"},
      {"no name", one + inline_set({"\1\0\2\0\0\0\0\0", 8}), 1, Code::kInvalidArgument, "it has no name"},
      {"UTF-8", one + inline_set({"\1\0\2\0\1\xff", 6}), 1, Code::kInvalidArgument, "is not valid UTF-8"},
      {"exponent", one + inline_set({"\1\0\6\x27", 4}), 1, Code::kInvalidArgument, "is -20"},
      {"shapes", one + std::string("\1\1\1\0\x08", 5), 33, Code::kInvalidArgument, "9 series from 0 on, the set has 8"},
      {"empty shape", one + std::string("\1\1\0\0", 4), 33, Code::kInvalidArgument, "has no points"},
      {"no such shape", one + std::string("\1\1\1\0\0\2", 6), 33, Code::kInvalidArgument, "is 1 of 1"},
      {"computation", one + std::string("\1\x08\x0d", 3), 65, Code::kInvalidArgument, "13 of 8 series is not known"},
      {"double's", one + std::string("\1\x08\x0b", 3), 65, Code::kInvalidArgument, "10 does not fit series 0"},
      {"share", one + std::string("\1\x01\x0a", 3), 65, Code::kInvalidArgument, "9 does not fit series 0"},
      {"share alone", one + inline_set("\1\4"), 1, Code::kInvalidArgument, "no series of its parts"},
      {"value", one + inline_set("\1\5") + all, 1, Code::kInvalidArgument, "has more than 63 bits"},
      {"rates", time + std::string("\0\3", 2), 1, Code::kInvalidArgument, "the form of rates_since"},
  };
  for (const Hostile& test : cases) {
    std::string bytes(
        "\x16"
        "abcdefgh\5",
        10);
    protowire::put_varint(bytes, test.flags);
    bytes += std::string("\0\0\0", 3) + test.tail;
    const auto back = decode(bytes, "a");
    ASSERT_FALSE(back.ok()) << test.what;
    EXPECT_EQ(back.error().code(), test.code) << test.what << ": " << back.error().message();
    EXPECT_NE(back.error().message().find(test.message), std::string::npos)
        << test.what << ": " << back.error().message();
  }
}

TEST(Payload, RefusesTextsThatGrow) {
  // Two labels' worth of text once, and then a prefix of it in every series.
  std::string set;
  protowire::put_varint(set, 2000);
  for (int i = 0; i < 2000; ++i) {
    set += std::string("\0\2", 2);
    if (i == 0) set += std::string("\0\1m\0\0\1\0\1k\0\x80\x08", 12) + std::string(1024, 'x');
    if (i > 0) set += std::string("\1\0\0\0\1\1\0\x80\x08\0", 10);
  }
  Cursor in(set);
  (void)get_set(in, {});
  ASSERT_FALSE(in.ok());
  EXPECT_EQ(in.error().code(), Code::kResourceExhausted);
  EXPECT_NE(in.error().message().find("the limit is 1048576"), std::string::npos) << in.error().message();
}

TEST(Payload, RefusesBatchesThatNoRecordCanHold) {
  const auto fails = [](const auto& change, std::string_view message) {
    Batch batch = default_batch();
    change(batch);
    const auto bytes = encode(batch);
    ASSERT_FALSE(bytes.ok()) << message;
    EXPECT_NE(bytes.error().message().find(message), std::string::npos) << bytes.error().message();
  };
  fails([](Batch& b) { b.incarnation.pop_back(); }, "the incarnation has 15 bytes");
  fails([](Batch& b) { b.sequence = 0; }, "the sequence is 0");
  fails([](Batch& b) { b.frames[0].points[3].series = 8; }, "an index of a series: 8");
  fails([](Batch& b) { b.frames[0].points.clear(); }, "a frame without points");
  fails([](Batch& b) { b.series[0].name.assign(257, 'x'); }, "payload: a metric's name");
  fails([](Batch& b) { b.agent_version.assign(65, 'x'); }, "the agent's version");
  fails([](Batch& b) { b.drops.push_back({.incarnation = "x"}); }, "a drop's incarnation");
}

}  // namespace
}  // namespace monitor::payload
