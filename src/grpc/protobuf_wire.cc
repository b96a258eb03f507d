#include "grpc/protobuf_wire.h"

namespace monitor::grpc {
namespace {
enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kDelimited = 2, kFixed32 = 5 };

void append_varint(std::string& out, uint64_t value) {
  while (value >= 128) {
    out += static_cast<char>(value % 128 + 128);
    value /= 128;
  }
  out += static_cast<char>(value);
}
}  // namespace

bool ProtoReader::fail() {
  ok_ = false;
  rest_ = {};
  return false;
}

bool ProtoReader::read_varint(uint64_t& value) {
  value = 0;
  for (unsigned shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(rest_.front());
    rest_.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 127U) << shift;
    if (byte < 128) return true;
  }
  return fail();
}

bool ProtoReader::next() {
  if (rest_.empty()) return false;
  uint64_t tag = 0;
  number_ = 0;
  bytes_ = {};
  if (!read_varint(tag)) return false;
  field_ = static_cast<uint32_t>(tag >> 3U);
  uint64_t size = 0;
  switch (tag & 7U) {
    case kVarint:
      return read_varint(number_);
    case kFixed64:
      size = 8;
      break;
    case kFixed32:
      size = 4;
      break;
    case kDelimited:
      if (!read_varint(size)) return false;
      break;
    default:
      return fail();
  }
  if (size > rest_.size()) return fail();
  if ((tag & 7U) == kDelimited) bytes_ = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return true;
}

void append_proto_number(std::string& out, uint32_t field, uint64_t value) {
  append_varint(out, uint64_t{field} << 3U | kVarint);
  append_varint(out, value);
}

void append_proto_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  append_varint(out, uint64_t{field} << 3U | kDelimited);
  append_varint(out, bytes.size());
  out += bytes;
}

}  // namespace monitor::grpc
