#include "payload/cursor.h"

#include <fmt/format.h>

#include <bit>

#include "base/text.h"

namespace monitor::payload {

void Cursor::fail(Code code, std::string_view what, std::string_view fault) {
  if (!error_) error_.emplace(code, fmt::format("payload: {} at byte {}: {}", what, at_, fault));
}

uint64_t Cursor::long_varint(std::string_view what) {
  if (error_) return 0;
  uint64_t value = 0;
  for (size_t i = 0; i < 10; ++i) {
    if (at_ + i >= bytes_.size()) {
      fail(Code::kInvalidArgument, what, "the record ends within it");
      return 0;
    }
    const auto byte = static_cast<unsigned char>(bytes_[at_ + i]);
    if (i == 9 && byte > 1) break;
    value |= static_cast<uint64_t>(byte & 0x7FU) << (7 * i);
    if (byte < 0x80) {
      at_ += i + 1;
      return value;
    }
  }
  fail(Code::kInvalidArgument, what, "an integer of more than 64 bits");
  return 0;
}

uint64_t Cursor::fixed(size_t size, std::string_view what) {
  uint64_t value = 0;
  const std::string_view bytes = take(size, what);
  for (size_t i = 0; i < bytes.size(); ++i)
    value |= static_cast<uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  return value;
}

std::string_view Cursor::take(size_t size, std::string_view what) {
  if (error_) return {};
  if (size > left()) {
    fail(Code::kInvalidArgument, what, fmt::format("needs {} bytes, the record has {} more", size, left()));
    return {};
  }
  at_ += size;
  return bytes_.substr(at_ - size, size);
}

std::string_view Cursor::text(size_t limit, std::string_view what) {
  const uint64_t size = count(limit, what);
  const std::string_view result = take(size, what);
  if (!valid_utf8(result)) fail(Code::kInvalidArgument, what, "is not valid UTF-8");
  return error_ ? std::string_view() : result;
}

uint64_t Cursor::count(uint64_t limit, std::string_view what) {
  const uint64_t value = varint(what);
  if (value <= limit) return value;
  fail(Code::kResourceExhausted, what, fmt::format("is {}, the limit is {}", value, limit));
  return 0;
}

size_t varint_size(uint64_t value) { return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7; }

void put_fixed(std::string& out, uint64_t value, size_t size) {
  for (size_t i = 0; i < size; ++i) out += static_cast<char>(value >> (8 * i));
}

void put_text(std::string& out, std::string_view text) {
  protowire::put_varint(out, text.size());
  out.append(text);
}

}  // namespace monitor::payload
