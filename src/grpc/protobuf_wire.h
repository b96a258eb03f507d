// Protobuf's wire form, as much as the health and reflection services need: fields one after the other. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace monitor::grpc {

class ProtoReader {
 public:
  explicit ProtoReader(std::string_view bytes) : rest_(bytes) {}

  // Moves to the next field; false at the end, and if the bytes are no message (then !ok()).
  bool next();
  bool ok() const { return ok_; }
  uint32_t field() const { return field_; }
  // Of a length-delimited field; empty otherwise.
  std::string_view bytes() const { return bytes_; }
  // Of a varint; 0 otherwise.
  uint64_t number() const { return number_; }

 private:
  bool read_varint(uint64_t& value);
  bool fail();

  std::string_view rest_;
  bool ok_ = true;
  uint32_t field_ = 0;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

void append_proto_number(std::string& out, uint32_t field, uint64_t value);
void append_proto_bytes(std::string& out, uint32_t field, std::string_view bytes);

}  // namespace monitor::grpc
