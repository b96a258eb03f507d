// The name by which an HTTP request calls the server: its Host header, and the host in an absolute request target
// (RFC 9112, sections 3.2 and 3.2.2). Pure functions on bytes from outside; fuzzed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::telemetry {

struct Authority {
  std::string name;  // lower case, without brackets and a trailing dot
  std::optional<uint16_t> port;

  bool operator==(const Authority&) const = default;
};

// "LOCALHOST.:8080" -> localhost, 8080; "[::1]" -> ::1. Nothing for what is no host with an optional port, user
// information and paths included.
std::optional<Authority> parse_authority(std::string_view text);

struct RequestTarget {
  std::string host;  // of the Host header, as it came; empty: an HTTP/1.0 request without one
  std::string path;  // without the host of an absolute target
};

// Errors, all kInvalidArgument, of which each is a 400: several Host headers, none in HTTP/1.1, one that is no host,
// and an absolute target that names another host. Servers and proxies differ in which of two names they believe; an
// attacker uses that to pass one's checks and reach another's pages.
Result<RequestTarget> request_target(const std::vector<std::string>& hosts, std::string_view version,
                                     std::string_view url);

}  // namespace monitor::telemetry
