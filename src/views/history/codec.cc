#include "views/history/codec.h"

namespace monitor::analysis {

namespace {

// Whole numbers up to this one are stored as integers; all of them are exact as doubles.
constexpr double kMostWhole = 9007199254740992.0;  // 2^53
constexpr uint64_t kIsDouble = 1;

void put_number(std::string& out, double value) {
  const bool whole =
      std::abs(value) <= kMostWhole && value == std::floor(value) && !(value == 0 && std::signbit(value));
  if (whole) {
    protowire::put_varint(out, protowire::zigzag(static_cast<int64_t>(value)) << 1);
  } else {
    protowire::put_varint(out, kIsDouble);
    protowire::put_fixed64(out, std::bit_cast<uint64_t>(value));
  }
}

}  // namespace

void CellWriter::add(uint32_t index, const Cell& cell) {
  protowire::put_varint(out_, index - next_);
  protowire::put_varint(out_, cell.count);
  put_number(out_, cell.sum);
  // With a single point, all three values are equal.
  if (cell.count > 1) {
    put_number(out_, cell.min);
    put_number(out_, cell.max);
  }
  next_ = index + 1;
}

std::optional<double> CellReader::number() {
  const auto head = reader_.varint();
  if (!head) return std::nullopt;
  if ((*head & 1) == 0) return static_cast<double>(protowire::unzigzag(*head >> 1));
  const auto bits = reader_.fixed64();
  return bits ? std::optional(std::bit_cast<double>(*bits)) : std::nullopt;
}

std::optional<IndexedCell> CellReader::next() {
  const auto step = reader_.varint();
  if (!step) return std::nullopt;
  const auto count = reader_.varint();
  const auto sum = count ? number() : std::nullopt;
  if (!sum) return std::nullopt;
  IndexedCell result{.index = next_ + static_cast<uint32_t>(*step), .cell = {.count = *count}};
  result.cell.sum = result.cell.min = result.cell.max = *sum;
  if (*count > 1) {
    const auto min = number();
    const auto max = min ? number() : std::nullopt;
    if (!max) return std::nullopt;
    result.cell.min = *min;
    result.cell.max = *max;
  }
  next_ = result.index + 1;
  return result;
}

}  // namespace monitor::analysis
