#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "base/text.h"
#include "ui/web/route.h"

namespace monitor::analysis::web {

namespace {

constexpr std::string_view kAbout =
    "The HTTP API of `monitor-analysis serve`. Times are Unix seconds. `x-role` is the role that an operation needs. "
    "On a "
    "server without users, everybody is a viewer, and the web token is an editor's. A change with a session's cookie "
    "needs the header X-CSRF-Token, whose value is in the answer to GET /api/ui/v1/session. The Host header must be an "
    "IP "
    "address, localhost, or a name given with --web-host.";

std::string content(const std::string& type, const std::string& schema) {
  return fmt::format(R"("content":{{{}:{{"schema":{}}}}})", json_quote(type), schema);
}

std::map<unsigned, ErrorReply> errors_of(const Route& route) {
  std::map<unsigned, ErrorReply> errors = {
      {400, {400, "A parameter is wrong; the error names it."}},
      {401, {401, "The caller is not logged in, or the token is missing or wrong."}},
      {403,
       {403,
        "The caller's role does not suffice, the Host header does not name this server, or a page of another site "
        "asks for a change."}},
      {429, {429, "Too many wrong tokens came from this address. Retry-After says when to try again."}},
      {503, {503, "The server is busy, or what it would read is unreachable. Retry-After says when to try again."}},
  };
  for (const ErrorReply& one : route.errors) errors[one.status] = one;
  return errors;
}

std::string responses(const Route& route) {
  std::string out = R"("200":{"description":"OK",)" + content(route.content_type, route.result.json()) + "}";
  for (const auto& [status, error] : errors_of(route)) {
    out += fmt::format(R"(,"{}":{{"description":{},{}}})", status, json_quote(error.description),
                       content("application/json", schema::ref(error.schema).json()));
  }
  return out;
}

std::string operation(const Route& route) {
  std::string method = route.method;
  std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
  std::string parameters;
  const bool form = route.dialect == Dialect::kPrometheus && route.method == "POST";
  for (const Parameter& one : route.parameters) {
    if (!form) parameters += (parameters.empty() ? "" : ",") + one.json();
  }
  std::string out =
      fmt::format(R"({}:{{"operationId":{},"summary":{},"parameters":[{}],"responses":{{{}}})", json_quote(method),
                  json_quote(route.id), json_quote(route.summary), parameters, responses(route));
  if (route.body) out += R"(,"requestBody":{"required":true,)" + content("application/json", route.body->json()) + "}";
  if (form) {
    out += R"(,"requestBody":{"required":false,)" +
           content("application/x-www-form-urlencoded", schema::open_object("the parameters of GET").json()) + "}";
  }
  out += fmt::format(R"(,"x-role":"{}","security":{})", access::to_string(route.role),
                     route.role == access::Role::kNone ? "[]" : R"([{"session":[]},{"token":[]}])");
  return out + "}";
}

}  // namespace

std::string openapi_document(const RouteTable& table) {
  std::vector<std::pair<std::string, std::string>> paths;  // in order of declaration
  for (const Route& route : table.routes) {
    const std::string path = std::string(root_of(route.dialect)) + route.path;
    const auto found = std::ranges::find(paths, path, &std::pair<std::string, std::string>::first);
    if (found == paths.end()) {
      paths.emplace_back(path, operation(route));
    } else {
      found->second += "," + operation(route);
    }
  }
  std::string out =
      fmt::format(R"({{"openapi":"3.0.3","info":{{"title":"monitor-analysis serve","version":"1","description":{}}})",
                  json_quote(kAbout));
  out += R"(,"servers":[{"url":"/"}],"paths":{)";
  for (size_t i = 0; i < paths.size(); ++i) {
    out += fmt::format("{}{}:{{{}}}", i > 0 ? "," : "", json_quote(paths[i].first), paths[i].second);
  }
  out += R"(},"components":{"schemas":{)";
  bool first = true;
  for (const auto& [name, schema] : table.schemas) {
    out += fmt::format("{}{}:{}", first ? "" : ",", json_quote(name), schema.json());
    first = false;
  }
  return out + R"(},"securitySchemes":{"token":{"type":"http","scheme":"bearer"},)"
               R"("session":{"type":"apiKey","in":"cookie","name":"monitor-session"}}}})";
}

}  // namespace monitor::analysis::web
