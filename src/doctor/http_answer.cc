#include "doctor/http_answer.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "base/text.h"

namespace monitor::doctor {

namespace {

constexpr std::string_view kEnd = "\r\n\r\n";

Error not_http(std::string_view bytes) {
  return Error(Code::kInvalidArgument, "got " + json_quote(bytes.substr(0, 60)) + ", expected an answer in HTTP/1.1");
}

Error cut_off() { return Error(Code::kDataLoss, "the HTTP answer ends early"); }

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

Result<int> parse_status_line(std::string_view line) {
  const bool http = line.starts_with("HTTP/1.0 ") || line.starts_with("HTTP/1.1 ");
  const auto status = http && line.size() >= 12 ? parse_u64(line.substr(9, 3)) : std::nullopt;
  if (!status || *status < 100 || *status > 599 || (line.size() > 12 && line[12] != ' ')) return not_http(line);
  return static_cast<int>(*status);
}

std::optional<uint64_t> parse_hex(std::string_view text) {
  if (text.empty() || text.size() > 8) return std::nullopt;
  uint64_t value = 0;
  for (const char c : text) {
    const std::string_view digits = "0123456789abcdef";
    const size_t digit = digits.find(c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c);
    if (digit == std::string_view::npos) return std::nullopt;
    value = value * 16 + digit;
  }
  return value;
}

Result<std::string> decode_chunks(std::string_view rest) {
  std::string body;
  while (true) {
    const size_t line = rest.find("\r\n");
    if (line == std::string_view::npos) return cut_off();
    const auto size = parse_hex(trim(rest.substr(0, std::min(line, rest.find(';')))));
    if (!size) return Error(Code::kInvalidArgument, "the HTTP answer has a chunk without a size");
    rest.remove_prefix(line + 2);
    if (*size == 0) return body;
    if (rest.size() < *size + 2) return cut_off();
    body.append(rest.substr(0, *size));
    rest.remove_prefix(*size + 2);
  }
}

}  // namespace

Result<HttpAnswer> parse_http_answer(std::string_view bytes) {
  const size_t end = bytes.find(kEnd);
  if (end == std::string_view::npos) {
    if (bytes.size() > kMaxHttpHeaderBytes) return Error(Code::kResourceExhausted, "the HTTP headers exceed 32 KiB");
    return bytes.starts_with("HTTP/1.") ? cut_off() : not_http(bytes);
  }
  if (end > kMaxHttpHeaderBytes) return Error(Code::kResourceExhausted, "the HTTP headers exceed 32 KiB");
  HttpAnswer answer;
  bool first = true;
  for (std::string_view line : split(bytes.substr(0, end), '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (std::exchange(first, false)) {
      const auto status = parse_status_line(line);
      if (!status) return status.error();
      answer.status = *status;
      continue;
    }
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0) return not_http(line);
    answer.headers.try_emplace(lower(line.substr(0, colon)), trim(line.substr(colon + 1)));
  }
  const std::string_view rest = bytes.substr(end + kEnd.size());
  if (const auto coding = answer.headers.find("transfer-encoding"); coding != answer.headers.end()) {
    if (lower(coding->second) != "chunked")
      return Error(Code::kUnimplemented, "transfer encoding " + json_quote(coding->second));
    auto body = decode_chunks(rest);
    if (!body) return body.error();
    answer.body = std::move(*body);
    return answer;
  }
  answer.body = std::string(rest);
  if (const auto length = answer.headers.find("content-length"); length != answer.headers.end()) {
    const auto bytes_long = parse_u64(length->second);
    if (!bytes_long) return Error(Code::kInvalidArgument, "content-length: got " + json_quote(length->second));
    if (rest.size() < *bytes_long) return cut_off();
    answer.body.resize(*bytes_long);
  }
  return answer;
}

bool http_answer_complete(std::string_view bytes) {
  const auto answer = parse_http_answer(bytes);
  if (!answer) return answer.error().code() != Code::kDataLoss && bytes.size() >= 16;
  return answer->headers.contains("content-length") || answer->headers.contains("transfer-encoding");
}

}  // namespace monitor::doctor
