#include "base/protowire.h"

namespace monitor::protowire {

bool Reader::take_long_varint(uint64_t& value) {
  value = 0;
  for (size_t i = 0; i < rest_.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(rest_[i]);
    value |= static_cast<uint64_t>(byte & 0x7F) << (7 * i);
    if ((byte & 0x80) == 0) {
      rest_.remove_prefix(i + 1);
      return true;
    }
  }
  failed_ = failed_ || !rest_.empty();
  return false;
}

bool Reader::take_field(Field& field) {
  uint64_t tag = 0;
  if (!take_varint(tag)) return false;
  failed_ = true;  // until the field is complete
  if ((tag >> 3) == 0 || (tag >> 3) > 0x1FFFFFFF) return false;
  field.number = static_cast<uint32_t>(tag >> 3);
  field.type = static_cast<WireType>(tag & 7);
  switch (field.type) {
    case WireType::kVarint:
      failed_ = !take_varint(field.value);
      break;
    case WireType::kFixed64:
      failed_ = !take_fixed(field.value, 8);
      break;
    case WireType::kFixed32:
      failed_ = !take_fixed(field.value, 4);
      break;
    case WireType::kBytes: {
      uint64_t size = 0;
      if (!take_varint(size) || size > rest_.size()) return false;
      field.bytes = rest_.substr(0, size);
      rest_.remove_prefix(size);
      failed_ = false;
      break;
    }
    default:
      return false;  // groups and invalid wire types
  }
  return !failed_;
}

}  // namespace monitor::protowire
