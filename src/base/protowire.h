// The part of the Protocol Buffers wire format (https://protobuf.dev/programming-guides/encoding/) that hot paths need:
// a writer that appends to a string, and a reader that walks bytes without allocating.
//
// Thread-compatible. A Reader's views point into the bytes that it was given.
#pragma once

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace monitor::protowire {

inline uint64_t zigzag(int64_t value) {
  return (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
}
inline int64_t unzigzag(uint64_t value) { return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1); }

inline void put_varint(std::string& out, uint64_t value) {
  while (value >= 0x80) {
    out += static_cast<char>(value | 0x80);
    value >>= 7;
  }
  out += static_cast<char>(value);
}

inline void put_fixed64(std::string& out, uint64_t value) {
  char bytes[8];  // NOLINT(modernize-avoid-c-arrays): little-endian bytes of one number
  for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (8 * i));
  out.append(bytes, sizeof bytes);
}

enum class WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

inline void put_tag(std::string& out, uint32_t field, WireType type) {
  put_varint(out, (static_cast<uint64_t>(field) << 3) | static_cast<uint32_t>(type));
}

// As proto3 does, a field with its default value is left out.
inline void put_uint64(std::string& out, uint32_t field, uint64_t value) {
  if (value == 0) return;
  put_tag(out, field, WireType::kVarint);
  put_varint(out, value);
}
inline void put_sint64(std::string& out, uint32_t field, int64_t value) { put_uint64(out, field, zigzag(value)); }
inline void put_sfixed64(std::string& out, uint32_t field, int64_t value) {
  if (value == 0) return;
  put_tag(out, field, WireType::kFixed64);
  put_fixed64(out, static_cast<uint64_t>(value));
}
// Present even when empty: an element of a repeated field, or a message of a oneof.
inline void put_message(std::string& out, uint32_t field, std::string_view value) {
  put_tag(out, field, WireType::kBytes);
  put_varint(out, value.size());
  out.append(value);
}
inline void put_bytes(std::string& out, uint32_t field, std::string_view value) {
  if (!value.empty()) put_message(out, field, value);
}

struct Field {
  uint32_t number = 0;
  WireType type = WireType::kVarint;
  uint64_t value = 0;      // varint, fixed64, fixed32
  std::string_view bytes;  // kBytes

  int64_t as_sint() const { return unzigzag(value); }
  int64_t as_signed() const { return static_cast<int64_t>(value); }
  double as_double() const {
    double result = 0;
    std::memcpy(&result, &value, sizeof result);
    return result;
  }
};

class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  // Returns the next field; nothing at the end, or if the bytes are malformed (failed() is then true).
  std::optional<Field> next();
  // Returns a bare varint or fixed64, as in packed fields; nothing at the end or on failure.
  std::optional<uint64_t> varint() {
    uint64_t value = 0;
    return take_varint(value) ? std::optional(value) : std::nullopt;
  }
  std::optional<uint64_t> fixed64() {
    uint64_t value = 0;
    return take_fixed(value, 8) ? std::optional(value) : std::nullopt;
  }

  bool failed() const { return failed_; }
  bool at_end() const { return rest_.empty(); }
  // What has not been read yet.
  std::string_view rest() const { return rest_; }

 private:
  // These return bool: an optional that is written in parts and then read as a whole stalls the processor (no store
  // forwarding), and this is the hottest code of the server.
  bool take_varint(uint64_t& value) {
    // Tags, lengths and most values are one byte.
    if (!rest_.empty() && static_cast<unsigned char>(rest_.front()) < 0x80) {
      value = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      return true;
    }
    return take_long_varint(value);
  }
  bool take_long_varint(uint64_t& value);
  bool take_fixed(uint64_t& value, size_t bytes) {
    if (rest_.size() < bytes) {
      failed_ = failed_ || !rest_.empty();
      return false;
    }
    value = 0;
    for (size_t i = 0; i < bytes; ++i) value |= static_cast<uint64_t>(static_cast<unsigned char>(rest_[i])) << (8 * i);
    rest_.remove_prefix(bytes);
    return true;
  }
  bool take_field(Field& field);

  std::string_view rest_;
  bool failed_ = false;
};

inline std::optional<Field> Reader::next() {
  std::optional<Field> field(std::in_place);
  if (!take_field(*field)) field.reset();
  return field;
}

}  // namespace monitor::protowire
