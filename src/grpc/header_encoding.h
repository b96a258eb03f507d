// gRPC's wire forms ("gRPC over HTTP/2", "HTTP to gRPC status code mapping"): pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "grpc/types.h"

namespace monitor::grpc {

// HTTP/2 error codes (RFC 9113, 7).
enum class H2Error : uint32_t {
  kNoError = 0x0,
  kProtocolError = 0x1,
  kInternalError = 0x2,
  kFlowControlError = 0x3,
  kSettingsTimeout = 0x4,
  kStreamClosed = 0x5,
  kFrameSizeError = 0x6,
  kRefusedStream = 0x7,
  kCancel = 0x8,
  kCompressionError = 0x9,
  kConnectError = 0xa,
  kEnhanceYourCalm = 0xb,
  kInadequateSecurity = 0xc,
  kHttp11Required = 0xd,
};
std::string h2_error_name(uint32_t code);

// "500m" and the like: at most 8 digits and a unit, rounded up, so that a deadline is never shortened.
std::string encode_timeout(int64_t timeout_ns);
// Nanoseconds, cut at INT64_MAX; nothing if the text is not a timeout.
std::optional<int64_t> parse_timeout(std::string_view text);

// grpc-message: everything but printable ASCII, and '%', as %XX. Decoding never fails: what is no escape stays.
std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

// RFC 4648, 4. Encoding does not pad; decoding takes both forms.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// A number of gRPC's; others are kUnknown.
Code parse_status_code(std::string_view text);
Code code_of_http_status(int http_status);
Code code_of_h2_error(uint32_t h2_error);

// "application/grpc", with "+proto" or parameters after it.
bool is_grpc_content_type(std::string_view value);

bool is_binary_key(std::string_view key);
// What metadata may be sent; the error names the key.
Status check_metadata(const Metadata& metadata);
// Names that HTTP/2 and gRPC use themselves, and that are not metadata of the user.
bool is_reserved_header(std::string_view name);
// Adds a header to metadata, decoding "-bin" keys (values joined by commas become several); false if it is not base64.
bool append_metadata(Metadata& metadata, std::string_view name, std::string_view value);

// The five bytes before each message.
inline constexpr size_t kMessagePrefixBytes = 5;

}  // namespace monitor::grpc
