// Parses the host to which an HTTP request is addressed: its Host header, and the host in an absolute request target
// (RFC 9112, sections 3.2 and 3.2.2). Pure functions for foreign input; fuzzed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::telemetry {

struct Authority {
  std::string name;  // lower case, without brackets and trailing dot
  std::optional<uint16_t> port;

  bool operator==(const Authority&) const = default;
};

// "LOCALHOST.:8080" -> localhost, 8080; "[::1]" -> ::1. Nothing for any other text, such as user information or a path.
std::optional<Authority> parse_authority(std::string_view text);

struct RequestTarget {
  std::string host;  // raw Host header; empty for an HTTP/1.0 request without one
  std::string path;  // without the host of an absolute target
};

// Errors, all kInvalidArgument (HTTP status 400): several Host headers, none in HTTP/1.1, an invalid one, or an
// absolute target with another host. Servers and proxies disagree on which of two names counts, so an attacker could
// pass the checks for one name and reach the pages of another.
Result<RequestTarget> request_target(const std::vector<std::string>& hosts, std::string_view version,
                                     std::string_view url);

}  // namespace monitor::telemetry
