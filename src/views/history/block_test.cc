#include "views/history/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "base/random.h"
#include "views/history/integer_column.h"

namespace monitor::analysis::history {
namespace {

constexpr int64_t kRow = 77;

size_t size_of(const std::vector<int64_t>& values) {
  std::string bytes;
  encode_integers(values, bytes);
  return bytes.size();
}

void expect_same(const std::vector<int64_t>& values) {
  std::string bytes;
  encode_integers(values, bytes);
  std::vector<int64_t> back;
  ASSERT_TRUE(decode_integers(bytes, values.size(), back)) << values.size() << " values";
  EXPECT_EQ(back, values);
}

std::vector<int64_t> bits_of(const std::vector<double>& values) {
  std::vector<int64_t> bits;
  for (const double value : values) bits.push_back(std::bit_cast<int64_t>(value));
  return bits;
}

BlockColumn expect_same(const BlockColumn& column, size_t ticks) {
  std::string bytes;
  encode_column(kRow, column, bytes);
  BlockColumn back;
  EXPECT_TRUE(decode_column(kRow, bytes, ticks, back));
  EXPECT_EQ(back.integer, column.integer);
  EXPECT_EQ(back.ticks, column.ticks);
  EXPECT_EQ(back.values, column.values);
  return back;
}

TEST(IntegerColumn, ReturnsAnyList) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  expect_same({});
  for (const int64_t one : {int64_t{0}, int64_t{-1}, kLeast, kMost}) expect_same({one});
  expect_same({kLeast, kMost});
  expect_same({kMost, kLeast, 0, kMost, kMost, kLeast, -1, 1});
  expect_same({5, 5, 5, 5});
  expect_same({0, 4096, 0, -4096});
  SeededRandom random(3);
  for (int round = 0; round < 3000; ++round) {
    std::vector<int64_t> values;
    const size_t count = random.below(400);
    const auto width = static_cast<unsigned>(random.below(64));
    const unsigned sparse = static_cast<unsigned>(random.below(5));
    auto last = static_cast<int64_t>(random.below(UINT64_MAX));
    const auto scale = static_cast<uint64_t>(random.below(3) == 0 ? 1 + random.below(5000) : 1);
    for (size_t i = 0; i < count; ++i) {
      uint64_t step = random.below(UINT64_MAX) >> width;
      if (sparse > 0 && random.below(sparse * 4) != 0) step = 0;
      last = static_cast<int64_t>(static_cast<uint64_t>(last) + step * scale);
      values.push_back(round % 2 == 0 ? last : static_cast<int64_t>(step * scale));
    }
    expect_same(values);
  }
}

TEST(IntegerColumn, IsShortWhereNeighboursResembleEachOther) {
  std::vector<int64_t> steady;
  std::vector<int64_t> pages;
  std::vector<int64_t> spikes;
  std::vector<int64_t> noise;
  SeededRandom random(1);
  for (int64_t i = 0; i < 300; ++i) {
    steady.push_back(1'790'000'000'000'000'000 + i * kNanosPerSecond);
    pages.push_back(1'000'000'000 + 4096 * static_cast<int64_t>(random.below(8)));
    spikes.push_back(i % 100 == 50 ? 1 << 20 : 0);
    noise.push_back(static_cast<int64_t>(random.below(256)));
  }
  EXPECT_LT(size_of(std::vector<int64_t>(300, 24 << 20)), 8U);
  EXPECT_LT(size_of(steady), 60U) << "a bit a time, and the head";
  EXPECT_LT(size_of(pages), 300 * 3 / 8 + 25U) << "multiples of a page";
  EXPECT_LT(size_of(spikes), 65U);
  EXPECT_LT(size_of(noise), 315U);
}

TEST(IntegerColumn, RejectsEveryTruncation) {
  std::vector<int64_t> values;
  SeededRandom random(5);
  for (int i = 0; i < 50; ++i) values.push_back(static_cast<int64_t>(random.below(1000)));
  std::string bytes;
  encode_integers(values, bytes);
  std::vector<int64_t> back;
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_integers(bytes.substr(0, size), values.size(), back)) << size;
  }
  EXPECT_FALSE(decode_integers(bytes + '\0', values.size(), back));
  EXPECT_FALSE(decode_integers(bytes, values.size() + 20, back));
}

TEST(Block, ReturnsEveryDoubleBitByBit) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  for (const auto& values : std::vector<std::vector<double>>{{0.1, 0.25, 3, -17.5},
                                                             {0.0, -0.0},
                                                             {nan, 1, -nan},
                                                             {infinity, -infinity, 5e-324, 1.7976931348623157e308},
                                                             {1e15, 0.001, 1e-15},
                                                             {9007199254740993.0, 0.5},
                                                             {1.0 / 3, 2.0 / 3, std::sqrt(2)}}) {
    expect_same({.integer = false, .ticks = {}, .values = bits_of(values)}, values.size());
  }
  SeededRandom random(9);
  for (int round = 0; round < 2000; ++round) {
    std::vector<double> values;
    const double power = std::pow(10, static_cast<double>(random.below(8)));
    for (size_t i = 0; i < 1 + random.below(300); ++i) {
      const double whole = std::nearbyint(random.unit() * 1e6);
      values.push_back(round % 3 == 0 ? random.unit() : whole / power);
    }
    expect_same({.integer = false, .ticks = {}, .values = bits_of(values)}, values.size());
  }
}

TEST(Block, WritesDecimalFractionsAsIntegers) {
  BlockColumn column{.integer = false, .ticks = {}, .values = {}};
  SeededRandom random(2);
  for (int i = 0; i < 300; ++i) {
    column.values.push_back(std::bit_cast<int64_t>(static_cast<double>(random.below(256)) / 100));
  }
  std::string bytes;
  encode_column(kRow, column, bytes);
  EXPECT_LT(bytes.size(), 325U);
}

TEST(Block, KeepsWhichTicksHaveAValue) {
  BlockColumn column{.integer = true, .ticks = {}, .values = {}};
  for (uint32_t i = 3; i < 300; i += 10) {
    column.ticks.push_back(i);
    column.values.push_back(i * 7);
  }
  expect_same(column, 300);
  std::string bytes;
  encode_column(kRow, column, bytes);
  BlockColumn back;
  EXPECT_FALSE(decode_column(kRow, bytes, 290, back)) << "a tick beyond the last";
  column.ticks[1] = column.ticks[0];
  encode_column(kRow, column, bytes);
  EXPECT_FALSE(decode_column(kRow, bytes, 300, back)) << "a tick twice";
}

TEST(Block, RecognizesDamagedAndMisplacedRows) {
  const std::vector<int64_t> times = {-5, 7, 7, 1'790'000'000'000'000'000};
  std::string bytes;
  encode_times(kRow, times, bytes);
  std::vector<int64_t> back;
  ASSERT_TRUE(decode_times(kRow, bytes, back));
  EXPECT_EQ(back, times);
  EXPECT_FALSE(decode_times(kRow + 1, bytes, back));
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 4);
    EXPECT_FALSE(decode_times(kRow, damaged, back)) << i;
  }
  EXPECT_FALSE(decode_times(kRow, "", back));
  encode_times(kRow, std::vector<int64_t>{2, 1}, bytes);
  EXPECT_FALSE(decode_times(kRow, bytes, back)) << "times must ascend";
}

// Decoding must neither crash nor allocate without bounds; fuzz/history_block_fuzz.cc tries longer.
TEST(Block, SurvivesAnyBytes) {
  SeededRandom random(11);
  std::vector<int64_t> times;
  BlockColumn column;
  for (int round = 0; round < 50'000; ++round) {
    std::string bytes;
    for (size_t i = 0; i < random.below(60); ++i) {
      bytes += static_cast<char>(random.below(i < 6 && random.below(2) == 0 ? 8 : 256));
    }
    if (decode_times_unchecked(bytes, times)) {
      EXPECT_TRUE(std::ranges::is_sorted(times));
    }
    if (!decode_column_unchecked(bytes, 300, column)) continue;
    const size_t present = column.ticks.empty() ? 300 : column.ticks.size();
    EXPECT_EQ(column.values.size(), present);
  }
}

}  // namespace
}  // namespace monitor::analysis::history
