// The bytes of a sealed block: the ticks of an agent within five minutes, by series. A block has a row with the times
// of its ticks, and one for each series with its values. So a query decodes only the series that it asks for, and each
// time is stored once for all series.
//
// Values come back bit by bit as they were stored, doubles included. Each row ends with a checksum over its bytes and
// its number, so a damaged or misplaced row is recognized. docs/history-format.md describes the bytes.
//
// Pure functions. Decoding accepts any bytes: it returns false if they are no such row, and never needs more than
// 16 bytes of memory for each tick.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace monitor::analysis::history {

// The time that a block covers; it begins at a multiple of this since 1970.
inline constexpr int64_t kBlockNs = int64_t{300} * kNanosPerSecond;
// Limit on the ticks of a block. More within its five minutes are in further blocks.
inline constexpr size_t kMostBlockTicks = 16'384;

// The values of a series in a block.
struct BlockColumn {
  bool integer = false;         // whether the values are integers, or the bits of doubles
  std::vector<uint32_t> ticks;  // the ticks that have a value, ascending; empty: all have
  std::vector<int64_t> values;  // one for each of them
};

// Row numbers: the block's number, then the series' number plus one; 0 for the times. A file holds rows in this order.
inline constexpr int kSeriesBits = 28;
inline constexpr uint32_t kMostSeriesNumber = (uint32_t{1} << kSeriesBits) - 2;
inline constexpr int64_t times_row(int64_t block) { return block << kSeriesBits; }
inline constexpr int64_t values_row(int64_t block, uint32_t series) { return times_row(block) + series + 1; }

// Replace `out`. `times` are ascending, 1 to kMostBlockTicks.
void encode_times(int64_t row, std::span<const int64_t> times, std::string& out);
void encode_column(int64_t row, const BlockColumn& column, std::string& out);

bool decode_times(int64_t row, std::string_view bytes, std::vector<int64_t>& times);
// `ticks`: how many the block has.
bool decode_column(int64_t row, std::string_view bytes, size_t ticks, BlockColumn& column);

// The same without the checksum, for fuzzing.
bool decode_times_unchecked(std::string_view bytes, std::vector<int64_t>& times);
bool decode_column_unchecked(std::string_view bytes, size_t ticks, BlockColumn& column);

}  // namespace monitor::analysis::history
