#include "base/protowire.h"

namespace monitor::protowire {

std::optional<uint64_t> Reader::long_varint() {
  uint64_t value = 0;
  for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(i + 1);
      return value;
    }
  }
  if (!rest_.empty()) failed_ = true;
  return std::nullopt;
}

std::optional<uint64_t> Reader::fixed64() {
  if (rest_.size() < 8) {
    if (!rest_.empty()) failed_ = true;
    return std::nullopt;
  }
  uint64_t value = 0;
  for (size_t i = 0; i < 8; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
  rest_.remove_prefix(8);
  return value;
}

std::optional<Field> Reader::next() {
  const auto tag = varint();
  if (!tag) return std::nullopt;
  const auto fail = [this]() -> std::optional<Field> {
    failed_ = true;
    return std::nullopt;
  };
  if ((*tag >> 3) == 0 || (*tag >> 3) > 0x1FFFFFFF) return fail();
  Field field;
  field.number = static_cast<uint32_t>(*tag >> 3);
  field.type = static_cast<WireType>(*tag & 7);
  switch (field.type) {
    case WireType::kVarint: {
      const auto value = varint();
      if (!value) return fail();
      field.value = *value;
      return field;
    }
    case WireType::kFixed64: {
      const auto value = fixed64();
      if (!value) return fail();
      field.value = *value;
      return field;
    }
    case WireType::kBytes: {
      const auto size = varint();
      if (!size || *size > rest_.size()) return fail();
      field.bytes = rest_.substr(0, *size);
      rest_.remove_prefix(*size);
      return field;
    }
    case WireType::kFixed32: {
      if (rest_.size() < 4) return fail();
      for (size_t i = 0; i < 4; ++i)
        field.value |= static_cast<uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
      rest_.remove_prefix(4);
      return field;
    }
  }
  return fail();  // groups, and numbers that are no wire type
}

}  // namespace monitor::protowire
