#include "views/history/block.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <optional>

#include "base/crc32c.h"
#include "base/protowire.h"
#include "metrics/series.h"
#include "views/history/integer_column.h"

namespace monitor::analysis::history {

namespace {

// How values are written. Others than these are rejected.
enum class Form : uint8_t { kIntegers = 0, kDecimals = 1, kBits = 2 };
constexpr uint8_t kFormBits = 3;
constexpr uint8_t kSparse = 4;  // not every tick has a value; the list of those that have follows

constexpr size_t kCheckBytes = 4;
constexpr double kMostExact = 9007199254740992.0;  // 2^53
constexpr int kMostDecimals = 15;

uint32_t check_of(int64_t row, std::string_view bytes) {
  std::string seed;
  protowire::put_fixed64(seed, static_cast<uint64_t>(row));
  return crc32c(bytes, crc32c(seed));
}

void put_check(int64_t row, std::string& out) {
  const uint32_t check = check_of(row, out);
  for (unsigned i = 0; i < kCheckBytes; ++i) out += static_cast<char>(check >> (8 * i));
}

// Removes the checksum; false if it is wrong.
bool take_check(int64_t row, std::string_view& bytes) {
  if (bytes.size() < kCheckBytes) return false;
  uint32_t stored = 0;
  for (unsigned i = 0; i < kCheckBytes; ++i) {
    stored |= uint32_t{static_cast<unsigned char>(bytes[bytes.size() - kCheckBytes + i])} << (8 * i);
  }
  bytes.remove_suffix(kCheckBytes);
  return check_of(row, bytes) == stored;
}

// The integer that, divided by the power of ten, gives exactly this double again, with its sign.
std::optional<int64_t> times_power(double value, double power) {
  const double product = value * power;
  if (!(std::abs(product) < kMostExact)) return std::nullopt;
  const auto integer = static_cast<int64_t>(std::nearbyint(product));
  const double back = static_cast<double>(integer) / power;
  return std::bit_cast<int64_t>(back) == std::bit_cast<int64_t>(value) ? std::optional(integer) : std::nullopt;
}

// Writes doubles as decimal fractions with the same number of digits, if all of them are such. Returns the digits.
std::optional<int> to_decimals(std::span<const int64_t> bits, std::vector<int64_t>& integers) {
  int decimals = 0;
  // A fraction with fewer digits has more of them as well, so earlier values need not be tried again here.
  for (const int64_t one : bits) {
    while (!times_power(std::bit_cast<double>(one), metrics::power_of_ten(decimals))) {
      if (++decimals > kMostDecimals) return std::nullopt;
    }
  }
  integers.clear();
  for (const int64_t one : bits) {
    const auto integer = times_power(std::bit_cast<double>(one), metrics::power_of_ten(decimals));
    if (!integer) return std::nullopt;  // too large with so many digits
    integers.push_back(*integer);
  }
  return decimals;
}

}  // namespace

void encode_times(int64_t row, std::span<const int64_t> times, std::string& out) {
  out.clear();
  protowire::put_varint(out, times.size());
  encode_integers(times, out);
  put_check(row, out);
}

void encode_column(int64_t row, const BlockColumn& column, std::string& out) {
  out.clear();
  std::vector<int64_t> integers;
  Form form = column.integer ? Form::kIntegers : Form::kBits;
  std::optional<int> decimals;
  if (!column.integer) decimals = to_decimals(column.values, integers);
  if (decimals) form = Form::kDecimals;
  out += static_cast<char>(static_cast<uint8_t>(form) | (column.ticks.empty() ? 0 : kSparse));
  if (!column.ticks.empty()) {
    std::string list;
    encode_integers(std::vector<int64_t>(column.ticks.begin(), column.ticks.end()), list);
    protowire::put_varint(out, column.ticks.size());
    protowire::put_varint(out, list.size());
    out += list;
  }
  if (decimals) out += static_cast<char>(*decimals);
  encode_integers(decimals ? integers : column.values, out);
  put_check(row, out);
}

bool decode_times_unchecked(std::string_view bytes, std::vector<int64_t>& times) {
  protowire::Reader head(bytes);
  const auto count = head.varint();
  if (!count || *count == 0 || *count > kMostBlockTicks) return false;
  return decode_integers(head.rest(), *count, times) && std::ranges::is_sorted(times);
}

bool decode_times(int64_t row, std::string_view bytes, std::vector<int64_t>& times) {
  return take_check(row, bytes) && decode_times_unchecked(bytes, times);
}

bool decode_column_unchecked(std::string_view bytes, size_t ticks, BlockColumn& column) {
  column.ticks.clear();
  if (bytes.empty()) return false;
  const auto head = static_cast<uint8_t>(bytes.front());
  const auto form = static_cast<Form>(head & kFormBits);
  if (head > (kFormBits | kSparse) || form > Form::kBits) return false;
  bytes.remove_prefix(1);
  size_t count = ticks;
  if ((head & kSparse) != 0) {
    protowire::Reader reader(bytes);
    const auto present = reader.varint();
    const auto size = present ? reader.varint() : std::nullopt;
    if (!size || *present == 0 || *present > ticks || *size > reader.rest().size()) return false;
    count = *present;
    if (!decode_integers(reader.rest().substr(0, *size), count, column.values)) return false;
    for (size_t i = 0; i < count; ++i) {
      const int64_t tick = column.values[i];
      if (tick < 0 || tick >= static_cast<int64_t>(ticks) || (i > 0 && tick <= column.values[i - 1])) return false;
      column.ticks.push_back(static_cast<uint32_t>(tick));
    }
    bytes = reader.rest().substr(*size);
  }
  double power = 1;
  if (form == Form::kDecimals) {
    if (bytes.empty() || static_cast<unsigned char>(bytes.front()) > kMostDecimals) return false;
    power = metrics::power_of_ten(bytes.front());
    bytes.remove_prefix(1);
  }
  if (!decode_integers(bytes, count, column.values)) return false;
  column.integer = form == Form::kIntegers;
  if (form == Form::kDecimals) {
    for (int64_t& one : column.values) one = std::bit_cast<int64_t>(static_cast<double>(one) / power);
  }
  return true;
}

bool decode_column(int64_t row, std::string_view bytes, size_t ticks, BlockColumn& column) {
  return take_check(row, bytes) && decode_column_unchecked(bytes, ticks, column);
}

}  // namespace monitor::analysis::history
