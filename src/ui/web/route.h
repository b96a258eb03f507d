// Route: one operation of the API, declared completely: its parameters, its results, and its handler. The OpenAPI
// document (/api/v1/openapi.json) is generated from these declarations; tests/e2e/web_api_test.py compares the replies
// of a running server with it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ui/access/role.h"
#include "ui/web/http.h"
#include "ui/web/identity.h"
#include "ui/web/query.h"
#include "ui/web/schema.h"
#include "ui/web/server.h"

namespace monitor::analysis::web {

// One request for a route, on the loop's thread.
struct Call {
  const Request& request;
  const Query& query;  // includes the parameter in the path
  const WebServer::Responder& responder;
  const Identity& who;

  void reply(Reply reply) const { responder.reply(std::move(reply)); }
};

struct ErrorReply {
  unsigned status = 0;
  std::string description;
  std::string schema = "Error";  // name of a component
};

struct Route {
  std::string method;
  std::string path;                          // below /api/v1; a last segment {name} takes the rest of a request's path
  access::Role role = access::Role::kAdmin;  // that a caller needs; kNone: anyone, without a login
  std::string id;                            // the operation's name in generated clients
  std::string summary;
  std::vector<Parameter> parameters = {};
  Schema result;
  std::vector<ErrorReply> errors = {};  // beside 400, 401, 403, 429 and 503, which every route may answer
  std::string content_type = "application/json";
  std::optional<Schema> body = std::nullopt;
  bool for_programs = false;  // a caller is no viewer, for whom the configuration would be watched
  std::function<void(const Call& call)> handler;
};

// The first part of every route's path.
constexpr std::string_view kApiRoot = "/api/v1";

struct RouteTable {
  std::vector<Route> routes;
  std::vector<schema::Field> schemas;  // components that results refer to by name
};

// The OpenAPI 3.0 document, as JSON.
std::string openapi_document(const RouteTable& table);

}  // namespace monitor::analysis::web
