#include "doctor/url.h"

#include <algorithm>
#include <string>

#include "base/text.h"

namespace monitor::doctor {

Result<HttpTarget> parse_url(std::string_view url) {
  HttpTarget target;
  std::string_view rest = url;
  if (rest.starts_with("https://")) {
    target.tls = true;
    rest.remove_prefix(std::string_view("https://").size());
  } else if (rest.starts_with("http://")) {
    rest.remove_prefix(std::string_view("http://").size());
  } else {
    return Error(Code::kInvalidArgument, "got " + json_quote(url) + ", expected http://HOST:PORT/ or https://...");
  }
  const size_t slash = std::min(rest.find('/'), rest.size());
  const std::string_view path = rest.substr(slash);
  // A control character or a space in the path would end the request line early.
  if (std::ranges::any_of(path, [](char c) { return c <= ' ' || c == 0x7f; })) {
    return Error(Code::kInvalidArgument, "got " + json_quote(url) + ", expected a path without spaces");
  }
  if (!path.empty()) target.path = std::string(path);
  auto address = parse_host_port(std::string(rest.substr(0, slash)), target.tls ? 443 : 80);
  if (!address) return address.error();
  target.address = std::move(*address);
  return target;
}

}  // namespace monitor::doctor
