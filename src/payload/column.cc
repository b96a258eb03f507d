#include "payload/column.h"

#include <algorithm>
#include <bit>

namespace monitor::payload {

namespace {

using protowire::put_varint;
using protowire::unzigzag;
using protowire::zigzag;

enum Mode : unsigned { kPacked = 0, kPackedDifferences = 1, kDifferences = 2 };

constexpr unsigned kMostWidth = 63;  // what six bits of the head can say

uint64_t coded(uint64_t value, Sign sign) {
  return sign == Sign::kSigned ? zigzag(static_cast<int64_t>(value)) : value;
}

bool less(uint64_t a, uint64_t b, Sign sign) {
  return sign == Sign::kSigned ? static_cast<int64_t>(a) < static_cast<int64_t>(b) : a < b;
}

size_t packed_bytes(size_t count, unsigned width) { return (count * width + 7) / 8; }

// The least value and the width of what is above it.
struct Range {
  uint64_t least = 0;
  uint64_t most = 0;
  unsigned width() const { return static_cast<unsigned>(std::bit_width(most - least)); }
  void add(uint64_t value, Sign sign) {
    if (less(value, least, sign)) least = value;
    if (less(most, value, sign)) most = value;
  }
};

class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  void put(uint64_t value, unsigned width) {
    bits_ |= static_cast<unsigned __int128>(value) << held_;
    for (held_ += width; held_ >= 8; held_ -= 8, bits_ >>= 8) out_ += static_cast<char>(bits_);
  }
  void end() {
    if (held_ > 0) out_ += static_cast<char>(bits_);
  }

 private:
  std::string& out_;
  unsigned __int128 bits_ = 0;
  unsigned held_ = 0;
};

class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  uint64_t get(unsigned width) {
    while (held_ < width) {
      bits_ |= static_cast<unsigned __int128>(static_cast<unsigned char>(bytes_[at_++])) << held_;
      held_ += 8;
    }
    const auto value = static_cast<uint64_t>(bits_) & ((uint64_t{1} << width) - 1);
    bits_ >>= width;
    held_ -= width;
    return value;
  }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  unsigned __int128 bits_ = 0;
  unsigned held_ = 0;
};

struct Plan {
  Mode mode = kDifferences;
  Range values;
  Range differences;
};

Plan plan_of(std::span<const uint64_t> values, Sign sign) {
  Plan plan;
  plan.values = {values[0], values[0]};
  plan.differences = {values[1] - values[0], values[1] - values[0]};
  size_t singles = varint_size(coded(values[0], sign));
  for (size_t i = 1; i < values.size(); ++i) {
    const uint64_t difference = values[i] - values[i - 1];
    plan.values.add(values[i], sign);
    plan.differences.add(difference, Sign::kSigned);
    singles += varint_size(zigzag(static_cast<int64_t>(difference)));
  }
  size_t best = singles;
  if (const unsigned width = plan.differences.width(); width <= kMostWidth) {
    const size_t size = varint_size(coded(values[0], sign)) +
                        varint_size(zigzag(static_cast<int64_t>(plan.differences.least))) +
                        packed_bytes(values.size() - 1, width);
    if (size <= best) plan.mode = kPackedDifferences;
    best = std::min(best, size);
  }
  if (const unsigned width = plan.values.width(); width <= kMostWidth) {
    if (varint_size(coded(plan.values.least, sign)) + packed_bytes(values.size(), width) <= best) plan.mode = kPacked;
  }
  return plan;
}

void put_head(std::string& out, Mode mode, unsigned width) { out += static_cast<char>(mode << 6 | width); }

}  // namespace

void put_column(std::string& out, std::span<const uint64_t> values, Sign sign) {
  if (values.empty()) return;
  if (values.size() == 1) return put_varint(out, coded(values[0], sign));
  const Plan plan = plan_of(values, sign);
  BitWriter bits(out);
  switch (plan.mode) {
    case kPacked:
      put_head(out, kPacked, plan.values.width());
      put_varint(out, coded(plan.values.least, sign));
      for (const uint64_t value : values) bits.put(value - plan.values.least, plan.values.width());
      break;
    case kPackedDifferences:
      put_head(out, kPackedDifferences, plan.differences.width());
      put_varint(out, coded(values[0], sign));
      put_varint(out, zigzag(static_cast<int64_t>(plan.differences.least)));
      for (size_t i = 1; i < values.size(); ++i) {
        bits.put(values[i] - values[i - 1] - plan.differences.least, plan.differences.width());
      }
      break;
    case kDifferences:
      put_head(out, kDifferences, 0);
      put_varint(out, coded(values[0], sign));
      for (size_t i = 1; i < values.size(); ++i) {
        put_varint(out, zigzag(static_cast<int64_t>(values[i] - values[i - 1])));
      }
      break;
  }
  bits.end();
}

void get_column(Cursor& in, std::span<uint64_t> values, Sign sign) {
  if (values.empty()) return;
  const auto first = [&](std::string_view what) {
    const uint64_t value = in.varint(what);
    return sign == Sign::kSigned ? static_cast<uint64_t>(unzigzag(value)) : value;
  };
  if (values.size() == 1) {
    values[0] = first("a value");
    return;
  }
  const uint64_t head = in.fixed(1, "the head of a column");
  const uint64_t mode = head >> 6;
  const auto width = static_cast<unsigned>(head & kMostWidth);
  if (mode == kPacked) {
    const uint64_t least = first("the base of a column");
    BitReader bits(in.take(packed_bytes(values.size(), width), "the bits of a column"));
    if (!in.ok()) return;
    for (uint64_t& value : values) value = least + bits.get(width);
  } else if (mode == kPackedDifferences) {
    values[0] = first("the first value of a column");
    const auto least = static_cast<uint64_t>(in.zigzag("the least difference of a column"));
    BitReader bits(in.take(packed_bytes(values.size() - 1, width), "the bits of a column"));
    if (!in.ok()) return;
    for (size_t i = 1; i < values.size(); ++i) values[i] = values[i - 1] + least + bits.get(width);
  } else if (mode == kDifferences && width == 0) {
    values[0] = first("the first value of a column");
    for (size_t i = 1; i < values.size() && in.ok(); ++i) {
      values[i] = values[i - 1] + static_cast<uint64_t>(in.zigzag("a difference of a column"));
    }
  } else {
    in.fail(Code::kInvalidArgument, "the head of a column", "has an unknown form");
  }
}

}  // namespace monitor::payload
