// Encodings of gRPC's headers and codes ("gRPC over HTTP/2", "HTTP to gRPC status code mapping"). Pure functions.
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

// Encodes a timeout as "500m": at most 8 digits and a unit, rounded up, so that a deadline is never shortened.
std::string encode_timeout(int64_t timeout_ns);
// The timeout in nanoseconds, at most INT64_MAX; nothing if the text is not a timeout.
std::optional<int64_t> parse_timeout(std::string_view text);

// Encoding of grpc-message: every byte that is not printable ASCII, and '%', becomes %XX. Decoding never fails; an
// invalid escape is left as it is.
std::string percent_encode(std::string_view text);
std::string percent_decode(std::string_view text);

// RFC 4648, 4. Encodes without padding; decodes with and without.
std::string base64_encode(std::string_view bytes);
std::optional<std::string> base64_decode(std::string_view text);

// Unknown numbers give kUnknown.
Code parse_status_code(std::string_view text);
Code code_of_http_status(int http_status);
Code code_of_h2_error(uint32_t h2_error);

// True for "application/grpc", also with "+proto" or parameters after it.
bool is_grpc_content_type(std::string_view value);

bool is_binary_key(std::string_view key);
// Checks metadata before it is sent; the error names the key.
Status check_metadata(const Metadata& metadata);
// True for headers that HTTP/2 and gRPC reserve; they are not metadata.
bool is_reserved_header(std::string_view name);
// Appends a header to metadata. Decodes "-bin" keys, splitting values at commas; returns false if one is not base64.
bool append_metadata(Metadata& metadata, std::string_view name, std::string_view value);

// Length of the prefix of each message.
inline constexpr size_t kMessagePrefixBytes = 5;

}  // namespace monitor::grpc
