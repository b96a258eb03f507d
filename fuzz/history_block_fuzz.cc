// The rows of the page's history, as they come from a file that anything may have damaged: times and values of blocks,
// lists of integers, and open ticks. Any bytes must be refused or decoded; what is decoded must survive a round trip.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "views/history/block.h"
#include "views/history/codec.h"
#include "views/history/integer_column.h"
#include "views/history/open_ticks.h"

namespace {

using namespace monitor::analysis::history;  // NOLINT(google-build-using-namespace)

constexpr int64_t kRow = 5;

void check(bool holds) {
  if (!holds) std::abort();
}

void try_times(std::string_view bytes) {
  std::vector<int64_t> times;
  if (!decode_times_unchecked(bytes, times)) return;
  check(std::ranges::is_sorted(times));
  std::string again;
  encode_times(kRow, times, again);
  std::vector<int64_t> back;
  check(decode_times(kRow, again, back) && back == times);
}

void try_column(std::string_view bytes, size_t ticks) {
  BlockColumn column;
  if (!decode_column_unchecked(bytes, ticks, column)) return;
  check(column.values.size() == (column.ticks.empty() ? ticks : column.ticks.size()));
  std::string again;
  encode_column(kRow, column, again);
  BlockColumn back;
  check(decode_column(kRow, again, ticks, back));
  check(back.integer == column.integer && back.ticks == column.ticks && back.values == column.values);
}

// The bytes as values, which must come back as they are.
void try_values(std::string_view bytes) {
  std::vector<int64_t> values;
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    uint64_t value = 0;
    for (size_t i = 0; i < 8; ++i) value = (value << 8) | static_cast<unsigned char>(bytes[at + i]);
    values.push_back(static_cast<int64_t>(value));
  }
  std::string encoded;
  encode_integers(values, encoded);
  std::vector<int64_t> back;
  check(decode_integers(encoded, values.size(), back) && back == values);
  if (values.empty()) return;
  const BlockColumn doubles{.integer = false, .ticks = {}, .values = values};
  encode_column(kRow, doubles, encoded);
  BlockColumn column;
  check(decode_column(kRow, encoded, values.size(), column) && column.values == values);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  try_times(bytes);
  try_column(bytes, size_t{data[0]} + 1);
  try_values(bytes);
  std::vector<OpenTick> ticks;
  (void)parse_open_ticks(bytes, ticks);
  for (const OpenTick& tick : ticks) {
    monitor::analysis::PointReader reader(tick.points);
    while (reader.next()) continue;
  }
  return 0;
}
