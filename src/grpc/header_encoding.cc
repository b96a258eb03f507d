#include "grpc/header_encoding.h"

#include <algorithm>
#include <array>
#include <climits>

#include "base/hex.h"
#include "base/text.h"

namespace monitor::grpc {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

struct Unit {
  char name;
  int64_t ns;
};
constexpr std::array<Unit, 6> kUnits = {
    {{'n', 1}, {'u', 1'000}, {'m', 1'000'000}, {'S', 1'000'000'000}, {'M', 60'000'000'000}, {'H', 3'600'000'000'000}}};
constexpr int64_t kMaxTimeoutValue = 99'999'999;

int base64_digit(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  if (c == '+' || c == '-') return 62;
  if (c == '/' || c == '_') return 63;
  return -1;
}

bool valid_key_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

}  // namespace

const std::string* find_metadata(const Metadata& metadata, const std::string& key) {
  const auto it = std::find_if(metadata.begin(), metadata.end(), [&](const auto& pair) { return pair.first == key; });
  return it == metadata.end() ? nullptr : &it->second;
}

std::string h2_error_name(uint32_t code) {
  static constexpr std::array<std::string_view, 14> kNames = {"NO_ERROR",
                                                              "PROTOCOL_ERROR",
                                                              "INTERNAL_ERROR",
                                                              "FLOW_CONTROL_ERROR",
                                                              "SETTINGS_TIMEOUT",
                                                              "STREAM_CLOSED",
                                                              "FRAME_SIZE_ERROR",
                                                              "REFUSED_STREAM",
                                                              "CANCEL",
                                                              "COMPRESSION_ERROR",
                                                              "CONNECT_ERROR",
                                                              "ENHANCE_YOUR_CALM",
                                                              "INADEQUATE_SECURITY",
                                                              "HTTP_1_1_REQUIRED"};
  if (code < kNames.size()) return std::string(kNames[code]);
  return "HTTP/2 error " + std::to_string(code);
}

std::string encode_timeout(int64_t timeout_ns) {
  const int64_t timeout = std::max<int64_t>(timeout_ns, 0);
  for (const Unit& unit : kUnits) {
    const int64_t value = timeout / unit.ns + (timeout % unit.ns != 0 ? 1 : 0);
    if (value <= kMaxTimeoutValue) return std::to_string(value) + unit.name;
  }
  return std::to_string(kMaxTimeoutValue) + 'H';
}

std::optional<int64_t> parse_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > 9) return std::nullopt;
  const auto unit =
      std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& candidate) { return candidate.name == text.back(); });
  const std::optional<uint64_t> value = parse_u64(text.substr(0, text.size() - 1));
  if (unit == kUnits.end() || !value) return std::nullopt;
  const auto count = static_cast<int64_t>(*value);
  return count > INT64_MAX / unit->ns ? INT64_MAX : count * unit->ns;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c >= 0x20 && c <= 0x7e && c != '%') {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xfU];
  }
  return out;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      out += text[i];
      continue;
    }
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string base64_encode(std::string_view bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<unsigned char>(c);
    count += 8;
    while (count >= 6) {
      count -= 6;
      out += kBase64[bits >> static_cast<unsigned>(count) & 63U];
    }
  }
  if (count > 0) out += kBase64[bits << static_cast<unsigned>(6 - count) & 63U];
  return out;
}

std::optional<std::string> base64_decode(std::string_view text) {
  while (!text.empty() && text.back() == '=') text.remove_suffix(1);
  // A single remaining digit has six bits, which is less than a byte.
  if (text.size() % 4 == 1) return std::nullopt;
  std::string out;
  out.reserve(text.size() * 3 / 4);
  uint32_t bits = 0;
  int count = 0;
  for (const char c : text) {
    const int digit = base64_digit(c);
    if (digit < 0) return std::nullopt;
    bits = bits << 6U | static_cast<uint32_t>(digit);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> static_cast<unsigned>(count) & 0xffU);
    }
  }
  return out;
}

Code parse_status_code(std::string_view text) {
  const std::optional<uint64_t> number = parse_u64(text);
  if (!number || *number > static_cast<uint64_t>(Code::kUnauthenticated)) return Code::kUnknown;
  return static_cast<Code>(*number);
}

Code code_of_http_status(int http_status) {
  switch (http_status) {
    case 400:
      return Code::kInternal;
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kUnimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

Code code_of_h2_error(uint32_t h2_error) {
  switch (static_cast<H2Error>(h2_error)) {
    case H2Error::kNoError:
    case H2Error::kProtocolError:
    case H2Error::kInternalError:
    case H2Error::kFlowControlError:
    case H2Error::kSettingsTimeout:
    case H2Error::kFrameSizeError:
    case H2Error::kCompressionError:
    case H2Error::kConnectError:
      return Code::kInternal;
    case H2Error::kRefusedStream:
      return Code::kUnavailable;
    case H2Error::kCancel:
      return Code::kCancelled;
    case H2Error::kEnhanceYourCalm:
      return Code::kResourceExhausted;
    case H2Error::kInadequateSecurity:
      return Code::kPermissionDenied;
    default:
      return Code::kUnknown;
  }
}

bool is_grpc_content_type(std::string_view value) {
  static constexpr std::string_view kType = "application/grpc";
  if (!value.starts_with(kType)) return false;
  return value.size() == kType.size() || value[kType.size()] == '+' || value[kType.size()] == ';';
}

bool is_binary_key(std::string_view key) { return key.ends_with("-bin"); }

Status check_metadata(const Metadata& metadata) {
  for (const auto& [key, value] : metadata) {
    const bool good_key = !key.empty() && std::all_of(key.begin(), key.end(), valid_key_char);
    if (!good_key || is_reserved_header(key)) {
      return Error(Code::kInvalidArgument,
                   "metadata key " + json_quote(key) + ": must be [0-9a-z_.-] and none of gRPC's or HTTP's own");
    }
    const bool printable = std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (!printable && !is_binary_key(key)) {
      return Error(Code::kInvalidArgument,
                   "metadata " + json_quote(key) + ": the value is not printable ASCII; use a key that ends in -bin");
    }
  }
  return {};
}

bool is_reserved_header(std::string_view name) {
  return name.starts_with(':') || name.starts_with("grpc-") || name == "content-type" || name == "te" ||
         name == "user-agent" || name == "content-length" || name == "host" || name == "connection";
}

bool append_metadata(Metadata& metadata, std::string_view name, std::string_view value) {
  if (!is_binary_key(name)) {
    metadata.emplace_back(name, value);
    return true;
  }
  for (const std::string_view part : split(value, ',')) {
    std::optional<std::string> bytes = base64_decode(trim(part));
    if (!bytes) return false;
    metadata.emplace_back(name, std::move(*bytes));
  }
  return true;
}

}  // namespace monitor::grpc
