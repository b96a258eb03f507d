#include "telemetry/http/host_header.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::telemetry {

namespace {

constexpr size_t kLongestName = 255;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
}
bool address_char(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || c == ':' || c == '.'; }

std::string quoted(std::string_view text) { return json_quote(text.substr(0, 128)); }

Error bad_request(const std::string& why) { return {Code::kInvalidArgument, why}; }

// The host in "http://host/path", and what follows it; nothing for other forms of target.
struct Absolute {
  std::string_view authority;
  std::string_view path;
  uint16_t default_port = 0;
};
std::optional<Absolute> absolute(std::string_view url) {
  constexpr uint16_t kHttp = 80;
  constexpr uint16_t kHttps = 443;
  for (const auto& [scheme, port] : {std::pair("http://", kHttp), std::pair("https://", kHttps)}) {
    const std::string_view prefix(scheme);
    if (url.size() < prefix.size()) continue;
    const bool same = std::ranges::equal(url.substr(0, prefix.size()), prefix, {}, lower);
    if (!same) continue;
    const std::string_view rest = url.substr(prefix.size());
    const size_t slash = std::min(rest.find('/'), rest.size());
    return Absolute{rest.substr(0, slash), rest.substr(slash), port};
  }
  return std::nullopt;
}

}  // namespace

std::optional<Authority> parse_authority(std::string_view text) {
  Authority found;
  std::string_view port;
  bool has_port = false;
  std::string name;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    name = text.substr(1, end - 1);
    port = text.substr(end + 1);
    has_port = !port.empty();
    if (has_port && !port.starts_with(':')) return std::nullopt;
  } else {
    const size_t colon = std::min(text.find(':'), text.size());
    name = text.substr(0, colon);
    port = text.substr(colon);
    has_port = !port.empty();
  }
  std::ranges::transform(name, name.begin(), lower);
  const bool address = text.starts_with('[');
  if (!address && name.ends_with('.')) name.pop_back();
  if (name.empty() || name.size() > kLongestName) return std::nullopt;
  if (!std::ranges::all_of(name, address ? address_char : name_char)) return std::nullopt;
  found.name = std::move(name);
  if (!has_port || port == ":") return found;  // an empty port means the default port
  const auto number = parse_u64(port.substr(1));
  if (!number || *number > UINT16_MAX) return std::nullopt;
  found.port = static_cast<uint16_t>(*number);
  return found;
}

Result<RequestTarget> request_target(const std::vector<std::string>& hosts, std::string_view version,
                                     std::string_view url) {
  if (hosts.size() > 1) return bad_request(fmt::format("got {} Host headers, expected one", hosts.size()));
  if (hosts.empty() && version != "HTTP/1.0") return bad_request("the Host header is missing");
  RequestTarget target{.host = hosts.empty() ? std::string() : hosts[0], .path = std::string(url)};
  const auto named = hosts.empty() ? std::nullopt : parse_authority(hosts[0]);
  if (!hosts.empty() && !named) {
    return bad_request(fmt::format("Host: got {}, expected a name or an address, and a port", quoted(hosts[0])));
  }
  const auto whole = absolute(url);
  if (!whole) return target;
  auto asked = parse_authority(whole->authority);
  if (!asked) return bad_request(fmt::format("request target: {} is not a host", quoted(whole->authority)));
  if (named) {
    const auto port = [&](const Authority& one) { return one.port.value_or(whole->default_port); };
    if (asked->name != named->name || port(*asked) != port(*named)) {
      return bad_request(
          fmt::format("request target names {}, the Host header {}", quoted(whole->authority), quoted(hosts[0])));
    }
  } else {
    target.host = whole->authority;
  }
  target.path = whole->path.empty() ? "/" : whole->path;
  return target;
}

}  // namespace monitor::telemetry
