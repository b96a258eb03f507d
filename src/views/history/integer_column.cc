#include "views/history/integer_column.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <numeric>

#include "base/protowire.h"

namespace monitor::analysis::history {

namespace {

enum class Transform : uint8_t { kNone = 0, kDelta = 1, kDeltaOfDelta = 2, kConstant = 3 };
constexpr std::array kTransforms = {Transform::kNone, Transform::kDelta, Transform::kDeltaOfDelta};

// A number's class is the length of its binary form: 0 for 0, 64 for the largest.
constexpr size_t kClasses = 65;
constexpr unsigned kMostCode = 8;  // bits of a class's code
constexpr unsigned kCodeSpace = 1U << kMostCode;

using Counts = std::array<uint32_t, kClasses>;
using Lengths = std::array<uint8_t, kClasses>;

size_t class_of(uint64_t number) { return static_cast<size_t>(std::bit_width(number)); }
unsigned digits_of(size_t its_class) { return its_class == 0 ? 0 : static_cast<unsigned>(its_class) - 1; }

// Small for numbers of either sign that are near 0; exact for every difference modulo 2^64.
uint64_t folded(uint64_t difference) { return protowire::zigzag(static_cast<int64_t>(difference)); }
uint64_t unfolded(uint64_t number) { return static_cast<uint64_t>(protowire::unzigzag(number)); }

// What a transform makes of one number after another.
class Differences {
 public:
  explicit Differences(Transform transform) : transform_(transform) {}
  uint64_t next(uint64_t value) {
    if (transform_ == Transform::kNone) return value;
    const uint64_t step = value - last_;
    const uint64_t change = step - step_;
    last_ = value;
    step_ = step;
    return folded(transform_ == Transform::kDelta ? step : change);
  }

 private:
  const Transform transform_;
  uint64_t last_ = 0;
  uint64_t step_ = 0;
};

// Lengths of a prefix code in which frequent classes are short. It uses up the code space, unless only one class
// occurs, which needs no code: its length is 0, as that of a class that does not occur.
Lengths code_lengths(const Counts& counts) {
  Lengths lengths{};
  uint64_t total = 0;
  size_t used = 0;
  for (const uint32_t count : counts) {
    total += count;
    used += count > 0 ? 1 : 0;
  }
  if (used < 2) return lengths;
  int64_t room = kCodeSpace;
  for (size_t i = 0; i < kClasses; ++i) {
    if (counts[i] == 0) continue;
    unsigned length = 1;
    while (length < kMostCode && (uint64_t{counts[i]} << length) < total) ++length;
    lengths[i] = static_cast<uint8_t>(length);
    room -= kCodeSpace >> length;
  }
  // Of the codes whose length may change, the one where it costs least, or helps most.
  const auto change_one = [&](bool longer) {
    size_t best = kClasses;
    for (size_t i = 0; i < kClasses; ++i) {
      if (lengths[i] == 0) continue;
      const bool possible = longer ? lengths[i] < kMostCode : lengths[i] > 1 && (kCodeSpace >> lengths[i]) <= room;
      if (!possible) continue;
      if (best == kClasses || (longer ? counts[i] < counts[best] : counts[i] > counts[best])) best = i;
    }
    const int64_t share = kCodeSpace >> lengths[best];
    room += longer ? share / 2 : -share;
    lengths[best] = static_cast<uint8_t>(longer ? lengths[best] + 1 : lengths[best] - 1);
  };
  // 65 codes of the greatest length would leave room, so the first loop ends. What is left then is a multiple of the
  // longest code's share, which that code can take, so the second one ends too.
  while (room < 0) change_one(true);
  while (room > 0) change_one(false);
  return lengths;
}

// The codes: in order of length, then of class; written from the lowest bit, so the bits are reversed.
std::array<uint8_t, kClasses> codes_of(const Lengths& lengths) {
  std::array<uint8_t, kClasses> codes{};
  unsigned next = 0;
  for (unsigned length = 1; length <= kMostCode; ++length) {
    for (size_t i = 0; i < kClasses; ++i) {
      if (lengths[i] != length) continue;
      unsigned reversed = 0;
      for (unsigned bit = 0; bit < length; ++bit) reversed |= ((next >> bit) & 1) << (length - 1 - bit);
      codes[i] = static_cast<uint8_t>(reversed);
      ++next;
    }
    next <<= 1;
  }
  return codes;
}

class BitWriter {
 public:
  explicit BitWriter(std::string& out) : out_(out) {}
  // `bits` at most 64; the number has no others.
  void put(uint64_t number, unsigned bits) {
    held_ |= number << count_;
    if (count_ + bits < 64) {
      count_ += bits;
      return;
    }
    protowire::put_fixed64(out_, held_);
    const unsigned written = 64 - count_;
    held_ = written == 64 ? 0 : number >> written;
    count_ = bits - written;
  }
  void finish() {
    for (; count_ > 0; count_ -= std::min(count_, 8U)) {
      out_ += static_cast<char>(held_);
      held_ >>= 8;
    }
  }

 private:
  std::string& out_;
  uint64_t held_ = 0;
  unsigned count_ = 0;
};

// Beyond the end, the bits are 0; at_end() tells whether that was the case.
class BitReader {
 public:
  explicit BitReader(std::string_view bytes) : bytes_(bytes) {}
  // Makes at least 56 bits available.
  void refill() {
    if (at_ + 8 <= bytes_.size()) {
      uint64_t next = 0;
      std::memcpy(&next, bytes_.data() + at_, 8);
      if constexpr (std::endian::native == std::endian::big) next = __builtin_bswap64(next);
      held_ |= next << count_;
      at_ += (63 - count_) / 8;
      count_ |= 56;
      return;
    }
    for (; count_ <= 56; count_ += 8, ++at_) {
      const uint64_t next = at_ < bytes_.size() ? static_cast<unsigned char>(bytes_[at_]) : 0;
      held_ |= next << count_;
    }
  }
  unsigned peek_code() const { return static_cast<unsigned>(held_ & (kCodeSpace - 1)); }
  void skip(unsigned bits) {
    held_ >>= bits;
    count_ -= bits;
  }
  // At most 56 bits since the last refill().
  uint64_t take(unsigned bits) {
    const uint64_t number = held_ & ((uint64_t{1} << bits) - 1);
    skip(bits);
    return number;
  }
  // Whether exactly all bytes were used; the bits after the last number must be 0.
  bool at_end() const {
    const size_t unused = count_ / 8;
    return at_ - unused == bytes_.size() && (held_ & ((uint64_t{1} << (count_ % 8)) - 1)) == 0;
  }

 private:
  const std::string_view bytes_;
  size_t at_ = 0;
  uint64_t held_ = 0;
  unsigned count_ = 0;
};

struct Plan {
  Transform transform = Transform::kNone;
  Lengths lengths{};
  uint64_t bits = UINT64_MAX;
};

// The shortest of the transforms.
Plan plan_for(std::span<const uint64_t> numbers) {
  std::array<Counts, kTransforms.size()> counts{};
  std::array<Differences, kTransforms.size()> differences = {Differences(kTransforms[0]), Differences(kTransforms[1]),
                                                             Differences(kTransforms[2])};
  for (const uint64_t number : numbers) {
    for (size_t t = 0; t < kTransforms.size(); ++t) ++counts[t][class_of(differences[t].next(number))];
  }
  Plan best;
  for (size_t t = 0; t < kTransforms.size(); ++t) {
    Plan plan{.transform = kTransforms[t], .lengths = code_lengths(counts[t]), .bits = 0};
    for (size_t i = 0; i < kClasses; ++i) plan.bits += counts[t][i] * uint64_t{plan.lengths[i] + digits_of(i)};
    if (plan.bits < best.bits) best = plan;
  }
  return best;
}

// The classes from the first to the last that occur, each with the length of its code.
void put_lengths(const Counts& counts, const Lengths& lengths, std::string& out) {
  size_t first = 0;
  while (counts[first] == 0) ++first;
  size_t end = kClasses;
  while (counts[end - 1] == 0) --end;
  out += static_cast<char>(first);
  out += static_cast<char>(end - first);
  for (size_t i = first; i < end; i += 2) {
    const unsigned high = i + 1 < end ? lengths[i + 1] : 0;
    out += static_cast<char>(lengths[i] | (high << 4));
  }
}

struct Symbol {
  uint8_t digits = 0;  // besides the first
  uint8_t code = 0;    // bits of the code
  bool zero = false;
};
using Symbols = std::array<Symbol, kCodeSpace>;

Symbol symbol_of(size_t its_class, unsigned code) {
  return {
      .digits = static_cast<uint8_t>(digits_of(its_class)), .code = static_cast<uint8_t>(code), .zero = its_class == 0};
}

// What each next eight bits begin with.
bool make_symbols(size_t first, size_t classes, std::string_view packed, Symbols& symbols) {
  Lengths lengths{};
  unsigned room = kCodeSpace;
  for (size_t i = 0; i < classes; ++i) {
    const auto byte = static_cast<unsigned char>(packed[i / 2]);
    const unsigned length = i % 2 == 0 ? byte & 15U : byte >> 4U;
    if (length > kMostCode || (length > 0 && (kCodeSpace >> length) > room)) return false;
    lengths[first + i] = static_cast<uint8_t>(length);
    if (length > 0) room -= kCodeSpace >> length;
  }
  if (classes % 2 != 0 && (static_cast<unsigned char>(packed.back()) >> 4U) != 0) return false;
  if (classes == 1) {
    if (lengths[first] != 0) return false;
    symbols.fill(symbol_of(first, 0));
    return true;
  }
  if (room != 0) return false;
  const auto codes = codes_of(lengths);
  for (size_t i = first; i < first + classes; ++i) {
    if (lengths[i] == 0) continue;
    for (unsigned code = codes[i]; code < kCodeSpace; code += 1U << lengths[i])
      symbols[code] = symbol_of(i, lengths[i]);
  }
  return true;
}

bool read_numbers(BitReader& reader, const Symbols& symbols, std::span<int64_t> out) {
  constexpr unsigned kAtOnce = 56 - kMostCode;
  for (int64_t& one : out) {
    reader.refill();
    const Symbol symbol = symbols[reader.peek_code()];
    reader.skip(symbol.code);
    uint64_t number = symbol.zero ? 0 : 1;
    if (symbol.digits <= kAtOnce) {
      number = (number << symbol.digits) | reader.take(symbol.digits);
    } else {
      const uint64_t low = reader.take(kAtOnce);
      reader.refill();
      const unsigned rest = symbol.digits - kAtOnce;
      number = (number << symbol.digits) | (reader.take(rest) << kAtOnce) | low;
    }
    one = static_cast<int64_t>(number);
  }
  return reader.at_end();
}

// From what read_numbers() gave to the values. Arithmetic is modulo 2^64.
void restore(Transform transform, uint64_t smallest, uint64_t scale, std::span<int64_t> values) {
  uint64_t last = 0;
  uint64_t step = 0;
  for (int64_t& one : values) {
    auto number = static_cast<uint64_t>(one);
    if (transform == Transform::kDelta) {
      number = last += unfolded(number);
    } else if (transform == Transform::kDeltaOfDelta) {
      step += unfolded(number);
      number = last += step;
    }
    one = static_cast<int64_t>(smallest + number * scale);
  }
}

}  // namespace

void encode_integers(std::span<const int64_t> values, std::string& out) {
  const int64_t smallest = values.empty() ? 0 : *std::ranges::min_element(values);
  uint64_t scale = 0;
  for (const int64_t value : values) {
    if (scale == 1) break;
    scale = std::gcd(scale, static_cast<uint64_t>(value) - static_cast<uint64_t>(smallest));
  }
  if (scale == 0) {
    out += static_cast<char>(Transform::kConstant);
    protowire::put_varint(out, protowire::zigzag(smallest));
    return;
  }
  std::vector<uint64_t> numbers;
  numbers.reserve(values.size());
  for (const int64_t value : values) {
    const uint64_t above = static_cast<uint64_t>(value) - static_cast<uint64_t>(smallest);
    numbers.push_back(scale == 1 ? above : above / scale);
  }
  const Plan plan = plan_for(numbers);
  Counts counts{};
  Differences counted(plan.transform);
  for (const uint64_t number : numbers) ++counts[class_of(counted.next(number))];
  out += static_cast<char>(plan.transform);
  protowire::put_varint(out, protowire::zigzag(smallest));
  protowire::put_varint(out, scale);
  put_lengths(counts, plan.lengths, out);
  const auto codes = codes_of(plan.lengths);
  Differences differences(plan.transform);
  BitWriter writer(out);
  for (const uint64_t one : numbers) {
    const uint64_t number = differences.next(one);
    const size_t its_class = class_of(number);
    const unsigned digits = digits_of(its_class);
    writer.put(codes[its_class], plan.lengths[its_class]);
    writer.put(number & ((uint64_t{1} << digits) - 1), digits);
  }
  writer.finish();
}

bool decode_integers(std::string_view bytes, size_t count, std::vector<int64_t>& values) {
  values.clear();
  if (bytes.empty()) return false;
  const auto transform = static_cast<Transform>(bytes.front());
  if (transform > Transform::kConstant) return false;
  protowire::Reader head(bytes.substr(1));
  const auto smallest = head.varint();
  if (!smallest) return false;
  if (transform == Transform::kConstant) {
    values.assign(count, protowire::unzigzag(*smallest));
    return head.at_end();
  }
  const auto scale = head.varint();
  std::string_view rest = head.rest();
  if (!scale || rest.size() < 2) return false;
  const auto first = static_cast<unsigned char>(rest[0]);
  const auto classes = static_cast<unsigned char>(rest[1]);
  rest.remove_prefix(2);
  const size_t packed = (size_t{classes} + 1) / 2;
  if (classes == 0 || size_t{first} + classes > kClasses || rest.size() < packed) return false;
  Symbols symbols;
  if (!make_symbols(first, classes, rest.substr(0, packed), symbols)) return false;
  // A number needs at least one bit, unless all have the same class, which a list that is not constant can have.
  values.resize(count);
  BitReader reader(rest.substr(packed));
  if (!read_numbers(reader, symbols, values)) {
    values.clear();
    return false;
  }
  restore(transform, static_cast<uint64_t>(protowire::unzigzag(*smallest)), *scale, values);
  return true;
}

}  // namespace monitor::analysis::history
