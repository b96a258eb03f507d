// The bytes of the points of an open tick, and of the cells of a bucket. Both are lists in ascending order of an
// agent's series indexes. The index is stored as difference to the previous one, so that a typical point costs its
// value and one byte. Pure functions.
#pragma once

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "base/protowire.h"

namespace monitor::analysis {

// A stored point: the integer of an integer series, or the bits of a double.
struct PackedPoint {
  uint32_t index = 0;
  bool integer = false;
  uint64_t bits = 0;
};

// The value of a point; of an integer series, its integer.
inline double value_of(const PackedPoint& point) {
  return point.integer ? static_cast<double>(static_cast<int64_t>(point.bits)) : std::bit_cast<double>(point.bits);
}

// Integers are zigzag varints, doubles 8 bytes; the lowest bit of the index difference distinguishes them.
class PointWriter {
 public:
  explicit PointWriter(std::string& out) : out_(out) {}
  void add(const PackedPoint& point) {
    protowire::put_varint(out_, (static_cast<uint64_t>(point.index - next_) << 1) | (point.integer ? 1 : 0));
    if (point.integer) {
      protowire::put_varint(out_, protowire::zigzag(static_cast<int64_t>(point.bits)));
    } else {
      protowire::put_fixed64(out_, point.bits);
    }
    next_ = point.index + 1;
  }

 private:
  std::string& out_;
  uint32_t next_ = 0;
};

class PointReader {
 public:
  explicit PointReader(std::string_view bytes) : reader_(bytes) {}
  // Returns nothing at the end, or if the bytes are malformed.
  std::optional<PackedPoint> next() {
    const auto head = reader_.varint();
    if (!head) return std::nullopt;
    PackedPoint point{.index = next_ + static_cast<uint32_t>(*head >> 1), .integer = (*head & 1) != 0};
    const auto value = point.integer ? reader_.varint() : reader_.fixed64();
    if (!value) return std::nullopt;
    point.bits = point.integer ? static_cast<uint64_t>(protowire::unzigzag(*value)) : *value;
    next_ = point.index + 1;
    return point;
  }

 private:
  protowire::Reader reader_;
  uint32_t next_ = 0;
};

// What a bucket holds of a series. For an integer series, in its own integers, whose sums are exact up to 2^53.
struct Cell {
  uint64_t count = 0;
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();
  double sum = 0;

  // Ignores NaN.
  void add(double value) {
    if (std::isnan(value)) return;
    ++count;
    min = std::min(min, value);
    max = std::max(max, value);
    sum += value;
  }
  void add(const Cell& other) {
    count += other.count;
    min = std::min(min, other.min);
    max = std::max(max, other.max);
    sum += other.sum;
  }
  double average() const { return sum / static_cast<double>(count); }
};

class CellWriter {
 public:
  explicit CellWriter(std::string& out) : out_(out) {}
  void add(uint32_t index, const Cell& cell);

 private:
  std::string& out_;
  uint32_t next_ = 0;
};

struct IndexedCell {
  uint32_t index = 0;
  Cell cell;
};

class CellReader {
 public:
  explicit CellReader(std::string_view bytes) : reader_(bytes) {}
  std::optional<IndexedCell> next();

 private:
  std::optional<double> number();
  protowire::Reader reader_;
  uint32_t next_ = 0;
};

}  // namespace monitor::analysis
