// Parses what a browser sends to log in and to stay logged in: the body of a login, and the Cookie header. Pure
// functions; fuzzed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::access {

struct Credentials {
  std::string user;
  std::string password;
};

inline constexpr size_t kMaxLoginBytes = 4096;

// {"user": TEXT, "password": TEXT}. Any user name is accepted that fits into a log line: whether it exists is not a
// matter of syntax. kInvalidArgument; the message does not contain the body.
Result<Credentials> parse_login(std::string_view body);

// The values of the cookie called `name`, in the order of the header (RFC 6265, 4.2). A browser may send several: one
// for each path or domain that they were set for.
std::vector<std::string_view> cookies(std::string_view header, std::string_view name);

// Returns the session id in the Cookie headers. nullopt: there is none, there are several different ones, or it is not
// 64 hexadecimal digits.
std::optional<std::string> session_cookie(const std::vector<std::string>& headers, std::string_view name);

}  // namespace monitor::access
