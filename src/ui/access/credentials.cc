#include "ui/access/credentials.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>

#include "base/text.h"
#include "ui/access/password.h"

namespace monitor::access {

namespace {

constexpr size_t kIdDigits = 64;
constexpr size_t kMaxUserName = 256;

bool is_id(std::string_view text) {
  return text.size() == kIdDigits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

}  // namespace

Result<Credentials> parse_login(std::string_view body) {
  const Error malformed(Code::kInvalidArgument, "body: expected an object with the texts user and password");
  if (body.size() > kMaxLoginBytes) {
    return Error(Code::kInvalidArgument,
                 fmt::format("body: got {} bytes, the limit is {}", body.size(), kMaxLoginBytes));
  }
  const auto parsed = nlohmann::json::parse(body, nullptr, false);
  if (!parsed.is_object() || parsed.size() != 2 || !parsed.contains("user") || !parsed.contains("password")) {
    return malformed;
  }
  if (!parsed["user"].is_string() || !parsed["password"].is_string()) return malformed;
  Credentials given{parsed["user"].get<std::string>(), parsed["password"].get<std::string>()};
  if (given.user.empty() || given.user.size() > kMaxUserName || given.password.size() > kMaxPassword) {
    return Error(
        Code::kInvalidArgument,
        fmt::format("body: expected a user of 1 to {} bytes and a password of up to {}", kMaxUserName, kMaxPassword));
  }
  return given;
}

std::vector<std::string_view> cookies(std::string_view header, std::string_view name) {
  std::vector<std::string_view> found;
  for (const std::string_view part : split(header, ';')) {
    const std::string_view pair = trim(part);
    const size_t equals = pair.find('=');
    if (equals == std::string_view::npos || pair.substr(0, equals) != name) continue;
    found.push_back(pair.substr(equals + 1));
  }
  return found;
}

std::optional<std::string> session_cookie(const std::vector<std::string>& headers, std::string_view name) {
  std::optional<std::string> id;
  for (const std::string& header : headers) {
    for (const std::string_view value : cookies(header, name)) {
      if (!is_id(value) || (id && *id != value)) return std::nullopt;
      id = std::string(value);
    }
  }
  return id;
}

}  // namespace monitor::access
