#include "ui/web/http.h"

#include <arpa/inet.h>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/hex.h"
#include "base/text.h"
#include "rules/graph_link.h"
#include "telemetry/http/host_header.h"

namespace monitor::analysis::web {

namespace {

constexpr std::string_view kBearer = "Bearer ";

bool is_address(const std::string& name) {
  in6_addr ignored{};
  return inet_pton(AF_INET, name.c_str(), &ignored) == 1 || inet_pton(AF_INET6, name.c_str(), &ignored) == 1;
}

std::string lower_name(std::string_view name) {
  const auto parsed = telemetry::parse_authority(name);
  return parsed && !parsed->port ? parsed->name : std::string(name);
}

// True if `origin` ("https://host:port") is the origin of the server called `host`. Accepts both schemes, because a
// proxy may have terminated TLS.
bool same_origin(std::string_view origin, std::string_view host) {
  constexpr uint16_t kHttp = 80;
  constexpr uint16_t kHttps = 443;
  const auto named = telemetry::parse_authority(host);
  for (const auto& [scheme, port] : {std::pair("http://", kHttp), std::pair("https://", kHttps)}) {
    if (!named || !origin.starts_with(scheme)) continue;
    const auto from = telemetry::parse_authority(origin.substr(std::string_view(scheme).size()));
    return from && from->name == named->name && from->port.value_or(port) == named->port.value_or(port);
  }
  return false;
}

unsigned status_of(Code code) {
  switch (code) {
    case Code::kInvalidArgument:
    case Code::kOutOfRange:
      return 400;
    case Code::kUnauthenticated:
      return 401;
    case Code::kPermissionDenied:
      return 403;
    case Code::kNotFound:
      return 404;
    case Code::kAborted:
    case Code::kAlreadyExists:
      return 409;
    case Code::kResourceExhausted:
      return 413;
    case Code::kUnavailable:
    case Code::kDeadlineExceeded:
      return 503;
    default:
      return 500;
  }
}

}  // namespace

size_t unescape(char* text) {
  char* to = text;
  for (const char* from = text; *from != '\0'; ++from, ++to) {
    *to = *from;
    if (*from != '%' || from[1] == '\0' || from[2] == '\0') continue;
    const auto byte = unhex(std::string_view(from + 1, 2));
    if (!byte || (*byte)[0] == '\0') continue;
    *to = (*byte)[0];
    from += 2;
  }
  *to = '\0';
  return static_cast<size_t>(to - text);
}

Reply json_reply(std::string json, unsigned status) {
  return {.status = status, .body = std::make_shared<const std::string>(std::move(json))};
}

Reply text_reply(unsigned status, const std::string& text) {
  return {.status = status,
          .content_type = "text/plain; charset=utf-8",
          .body = std::make_shared<const std::string>(text + "\n")};
}

Reply error_reply(unsigned status, const std::string& message) {
  return json_reply(fmt::format(R"({{"error":{}}})", json_quote(message)), status);
}

Reply error_reply(const Error& error) { return error_reply(status_of(error.code()), error.message()); }

Reply graph_reply(const Request& request) {
  Reply reply = text_reply(302, "");
  reply.location = "./#/explore";
  std::string view;
  for (const auto& [name, value] : request.parameters) {
    if (name == "g0.expr") reply.location = "./#/explore?q=" + rules::query_escaped(value);
    if (name == "g0.tab" && value == "1") view = "&view=table";
  }
  if (reply.location.find('?') != std::string::npos) reply.location += view;
  return reply;
}

std::vector<std::string> header_values(const Request& request, std::string_view name) {
  std::vector<std::string> found;
  for (const auto& [known, value] : request.headers) {
    const bool same = std::ranges::equal(
        known, name, [](unsigned char one, unsigned char other) { return std::tolower(one) == std::tolower(other); });
    if (same) found.push_back(value);
  }
  return found;
}

Status check_host(const Request& request, const std::vector<std::string>& names) {
  const auto named = telemetry::parse_authority(request.host);
  if (named && (named->name == "localhost" || is_address(named->name))) return {};
  const auto is_named = [&](const std::string& host) { return lower_name(host) == named->name; };
  if (named && std::ranges::any_of(names, is_named)) return {};
  return Error(Code::kPermissionDenied, fmt::format("host {}: not a name of this server; add it with --web-host NAME",
                                                    json_quote(request.host.substr(0, 128))));
}

Status check_origin(const Request& request) {
  // Of two equal headers, a proxy may judge one and this server the other.
  const auto once = [&](std::string_view name) { return header_values(request, name).size() <= 1; };
  const bool own_origin = once("Origin") && (request.origin.empty() || same_origin(request.origin, request.host));
  const bool own_site =
      once("Sec-Fetch-Site") && (request.site.empty() || request.site == "same-origin" || request.site == "none");
  if (own_origin && own_site) return {};
  return Error(Code::kPermissionDenied, fmt::format("origin {}: pages of other origins must not make changes",
                                                    json_quote(request.origin.substr(0, 128))));
}

std::optional<std::string_view> bearer_token(const Request& request) {
  // Two tokens prove nothing, not even that there is none.
  if (header_values(request, "Authorization").size() > 1) return "";
  if (!request.authorization.starts_with(kBearer)) return std::nullopt;
  return std::string_view(request.authorization).substr(kBearer.size());
}

}  // namespace monitor::analysis::web
