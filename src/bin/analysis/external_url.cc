#include "bin/analysis/external_url.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "bin/common/cli.h"
#include "telemetry/http/host_header.h"

namespace monitor {

namespace {

constexpr size_t kMaxBytes = 2000;

// "http://web-1:8080/x" -> "web-1:8080"; empty if there is no scheme.
std::string_view authority_of(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    url.remove_prefix(scheme.size());
    return url.substr(0, url.find('/'));
  }
  return {};
}

}  // namespace

void declare_external_url(CLI::App& app, std::string& url) {
  app.add_option("--external-url", url,
                 "Where people find the web page, for links in notifications; may have a path (default: this host's "
                 "name and the page's port)")
      ->type_name("URL");
}

Result<std::string> parse_external_url(std::string_view text) {
  const auto fault = [&](const char* expected) {
    return Error(Code::kInvalidArgument,
                 fmt::format("--external-url: got {}, expected {}", json_quote(text.substr(0, 200)), expected));
  };
  if (text.size() > kMaxBytes) return fault("at most 2000 bytes");
  const bool clean = std::ranges::all_of(text, [](char c) {
    constexpr std::string_view kNever = "\"'<>\\^`{|}?#";
    return c > ' ' && c < 0x7F && kNever.find(c) == std::string_view::npos;
  });
  const auto authority = telemetry::parse_authority(authority_of(text));
  if (!clean || !authority || authority->name.empty()) {
    return fault("a URL such as https://monitor.example.com/ without a user, a query and a fragment");
  }
  while (text.ends_with('/')) text.remove_suffix(1);
  return std::string(text);
}

std::string host_of_external_url(std::string_view url) {
  const auto authority = telemetry::parse_authority(authority_of(url));
  return authority ? authority->name : std::string();
}

std::string default_external_url(bool tls, uint16_t port) {
  const uint16_t usual = tls ? 443 : 80;
  const std::string host = host_name();
  const char* const scheme = tls ? "https" : "http";
  return port == usual ? fmt::format("{}://{}", scheme, host) : fmt::format("{}://{}:{}", scheme, host, port);
}

}  // namespace monitor
