// Reads the parts of a record one after the other, and writes them. The first fault ends the reading: every later read
// returns 0 or nothing, so that a caller may read several parts before it asks ok().
//
// A Cursor belongs to one thread, and its views point into the bytes that it was given.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/protowire.h"
#include "base/result.h"

namespace monitor::payload {

class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  // `what` names the part in the error; it must outlive the call only.
  uint64_t varint(std::string_view what) {
    if (at_ < bytes_.size() && !error_ && static_cast<unsigned char>(bytes_[at_]) < 0x80) {
      return static_cast<unsigned char>(bytes_[at_++]);
    }
    return long_varint(what);
  }
  int64_t zigzag(std::string_view what) { return protowire::unzigzag(varint(what)); }
  // A little-endian integer of up to 8 bytes.
  uint64_t fixed(size_t size, std::string_view what);
  std::string_view take(size_t size, std::string_view what);
  // A length and so many bytes of UTF-8.
  std::string_view text(size_t limit, std::string_view what);
  // A varint of at most `limit`.
  uint64_t count(uint64_t limit, std::string_view what);

  void fail(Code code, std::string_view what, std::string_view fault);
  void fail(const Error& error) {
    if (!error_) error_ = error;
  }
  bool ok() const { return !error_; }
  // The first fault. Only if not ok().
  const Error& error() const { return *error_; }
  Status status() const { return error_ ? Status(*error_) : Status(); }
  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

 private:
  uint64_t long_varint(std::string_view what);

  std::string_view bytes_;
  size_t at_ = 0;
  std::optional<Error> error_;
};

size_t varint_size(uint64_t value);
void put_fixed(std::string& out, uint64_t value, size_t size);
void put_text(std::string& out, std::string_view text);

}  // namespace monitor::payload
