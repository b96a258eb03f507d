// Builds HTTP/2 frames by hand, for input that a correct library does not send.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace monitor::grpc {

inline constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
// Values are RFC 9113's (6).
enum FrameType : uint8_t { kData, kHeaders, kPriority, kReset, kSettings, kPush, kPing, kGoAwayFrame, kWindow, kCont };

inline std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out;
  for (const uint32_t shift : {16U, 8U, 0U}) out += static_cast<char>(payload.size() >> shift);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (const uint32_t shift : {24U, 16U, 8U, 0U}) out += static_cast<char>(stream >> shift);
  return out + std::string(payload);
}

// HPACK, literals without indexing (RFC 7541, 6.2.2), without Huffman.
inline std::string literal(std::string_view name, std::string_view value) {
  std::string out(1, '\0');
  for (const std::string_view text : {name, value}) {
    if (text.size() < 127) {
      out += static_cast<char>(text.size());
    } else {
      size_t rest = text.size() - 127;
      out += static_cast<char>(127);
      for (; rest >= 128; rest /= 128) out += static_cast<char>(rest % 128 + 128);
      out += static_cast<char>(rest);
    }
    out += text;
  }
  return out;
}

}  // namespace monitor::grpc
