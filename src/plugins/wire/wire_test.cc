// Messages in parts, and the messages that are rejected.
#include "plugins/wire/wire.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace monitor::plugin_wire {
namespace {

metrics::Series series(const std::string& name) {
  return {name, {{"a", "1"}, {"b", "2"}}, "By", metrics::Kind::kCounter, true, -4};
}

Header head_of(const std::string& packet) {
  Header header;
  std::memcpy(&header, packet.data(), sizeof header);
  return header;
}

std::string with(std::string packet, const Header& header) {
  std::memcpy(packet.data(), &header, sizeof header);
  return packet;
}

TEST(Assembler, PutsPartsTogether) {
  for (const size_t size : {size_t{0}, size_t{1}, kMaxPart, kMaxPart + 1, 3 * kMaxPart + 7}) {
    Assembler assembler;
    const Message message{Type::kSaved, 3, 9, std::string(size, 'x')};
    const auto packets = packets_of(message);
    ASSERT_EQ(packets.size(), std::max<size_t>(1, (size + kMaxPart - 1) / kMaxPart));
    for (size_t i = 0; i < packets.size(); ++i) {
      const auto taken = assembler.take(packets[i]);
      ASSERT_TRUE(taken) << taken.error().message();
      ASSERT_EQ(taken->has_value(), i + 1 == packets.size());
      if (!*taken) continue;
      EXPECT_EQ((*taken)->payload, message.payload);
      EXPECT_EQ((*taken)->number, 9U);
    }
  }
}

TEST(Points, ChecksThatAllAreBelowANumber) {
  EXPECT_TRUE(all_below({}, 0));
  for (size_t count = 1; count < 12; ++count) {
    std::vector<metrics::Point> points(count);
    EXPECT_FALSE(all_below(points, 0));
    for (metrics::Point& point : points) point.series = 6;
    EXPECT_TRUE(all_below(points, 7));
    for (size_t i = 0; i < count; ++i) {
      for (const uint32_t series : {7U, kOwnSeries, UINT32_MAX}) {
        auto one = points;
        one[i].series = series;
        EXPECT_FALSE(all_below(one, 7)) << i << " of " << count;
      }
      for (const uint32_t reserved : {1U, 0x8000'0000U, UINT32_MAX}) {
        auto one = points;
        one[i].reserved = reserved;
        EXPECT_FALSE(all_below(one, 7)) << i << " of " << count;
      }
    }
  }
}

TEST(Assembler, RejectsPartsThatDoNotFit) {
  const auto packets = packets_of({Type::kSaved, 1, 1, std::string(kMaxPart + 100, 'x')});
  const auto refused = [&](const std::vector<std::string>& given) {
    Assembler assembler;
    for (size_t i = 0; i + 1 < given.size(); ++i) EXPECT_TRUE(assembler.take(given[i]));
    return !assembler.take(given.back());
  };
  EXPECT_TRUE(refused({""}));
  EXPECT_TRUE(refused({packets[0].substr(0, sizeof(Header) - 1)}));
  EXPECT_TRUE(refused({packets[1]})) << "a second part first";
  EXPECT_TRUE(refused({packets[0], packets[0]})) << "the first part twice";
  for (const auto change :
       {+[](Header& h) { h.magic = 1; }, +[](Header& h) { h.version = 2; }, +[](Header& h) { h.type = 7; },
        +[](Header& h) { h.reserved = 1; }, +[](Header& h) { h.offset = 1; },
        +[](Header& h) { h.total = 0xffff'ffffU; }, +[](Header& h) { h.total = 10; }}) {
    Header header = head_of(packets[0]);
    change(header);
    EXPECT_TRUE(refused({with(packets[0], header)}));
  }
  for (const auto change :
       {+[](Header& h) { h.instance = 2; }, +[](Header& h) { h.number = 2; },
        +[](Header& h) { h.type = static_cast<uint16_t>(Type::kResult); }, +[](Header& h) { ++h.total; }}) {
    Header header = head_of(packets[1]);
    change(header);
    EXPECT_TRUE(refused({packets[0], with(packets[1], header)}));
  }
}

TEST(Series, RoundTripAndAreChecked) {
  std::string payload;
  put_series(payload, 0, series("one"));
  put_series(payload, 7, series("two"));
  const auto read = decode_series(payload, false);
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->size(), 2U);
  EXPECT_EQ((*read)[1].id, 7U);
  EXPECT_EQ((*read)[1].series, series("two"));
  EXPECT_FALSE(decode_series(payload, true)) << "numbers of the agent instead of own ones";
  for (size_t cut = 1; cut < payload.size(); ++cut) {
    const auto part = decode_series(std::string_view(payload).substr(0, cut), false);
    if (part) {
      EXPECT_EQ(part->size(), 1U) << cut;
    }
  }
  auto wrong = series("x");
  const auto refused = [&](const metrics::Series& one) {
    std::string bytes;
    put_series(bytes, 0, one);
    return !decode_series(bytes, false);
  };
  wrong.name = "\xff";
  EXPECT_TRUE(refused(wrong));
  wrong.name = std::string(257, 'x');
  EXPECT_TRUE(refused(wrong));
  wrong.name = "";
  EXPECT_TRUE(refused(wrong));
  wrong = series("x");
  wrong.labels = {{"b", "1"}, {"a", "2"}};
  EXPECT_TRUE(refused(wrong)) << "labels out of order";
  wrong.labels = {{"a", "1"}, {"a", "2"}};
  EXPECT_TRUE(refused(wrong)) << "a label twice";
  wrong = series("x");
  wrong.exponent = 19;
  EXPECT_TRUE(refused(wrong));
  std::string beyond;
  put_series(beyond, kMaxSeries, series("x"));
  EXPECT_FALSE(decode_series(beyond, false));
}

TEST(Ticks, RejectsCountsThatDoNotMatchTheBytes) {
  metrics::Tick tick;
  tick.time_ns = 5;
  tick.points.resize(3);
  tick.points[2].real = 1.5;
  std::string payload;
  put_tick_head(payload, tick);
  payload += bytes_of(tick.points);
  metrics::Tick read;
  const auto points = decode_tick(payload, read);
  ASSERT_TRUE(points);
  EXPECT_EQ(read.time_ns, 5);
  EXPECT_EQ(*points, bytes_of(tick.points));
  EXPECT_FALSE(decode_tick(payload.substr(0, payload.size() - 1), read));
  EXPECT_FALSE(decode_tick(payload + "x", read));
  payload[24] = 4;
  EXPECT_FALSE(decode_tick(payload, read)) << "one point more than the bytes contain";
}

TEST(Results, RoundTripAndAreChecked) {
  std::vector<metrics::Point> points(2);
  std::string payload;
  put_result_head(payload, {Verdict::kChanged, 2, 3});
  payload += bytes_of(points);
  const auto read = decode_result(payload, points);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->count, 2U);
  EXPECT_EQ(read->dropped, 3U);
  EXPECT_FALSE(decode_result(payload.substr(0, payload.size() - 16), points));
  payload[0] = 0;  // verdict "unchanged", but with points
  EXPECT_FALSE(decode_result(payload, points));
  payload[0] = 3;
  EXPECT_FALSE(decode_result(payload, points));
}

TEST(Tame, MakesATextSafeForALog) {
  EXPECT_EQ(tame("good"), "good");
  EXPECT_EQ(tame(std::string(5000, 'x')).size(), kMaxText + 3);
  EXPECT_EQ(tame("a\x1b[31m\n").find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace monitor::plugin_wire
