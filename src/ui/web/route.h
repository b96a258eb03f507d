// Route: one operation of the API, declared completely: its parameters, its results, and its handler. The OpenAPI
// document (/api/ui/v1/openapi.json) is generated from these declarations; tests/e2e/web_api_test.py compares the
// replies of a running server with it.
#pragma once

#include <cstdint>
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
  const Query& query;  // includes the parameter in the path; empty for the Prometheus API, which has PromParameters
  const WebServer::Responder& responder;
  const Identity& who;
  const std::string& rest;  // what {name} of the route's path stands for

  void reply(Reply reply) const { responder.reply(std::move(reply)); }
};

struct ErrorReply {
  unsigned status = 0;
  std::string description;
  std::string schema = "Error";  // name of a component
};

enum class Dialect : uint8_t {
  kOwn,        // below kApiRoot; parameters are checked against the declaration
  kPrometheus  // below kPrometheusRoot, as Prometheus has it: forms in bodies, unknown parameters, its errors. A POST
               // only reads
};

struct Route {
  std::string method;
  std::string path;  // below the root of its dialect; {name} takes what is between the parts around it, also slashes
  access::Role role = access::Role::kAdmin;  // that a caller needs; kNone: anyone, without a login
  std::string id;                            // the operation's name in generated clients
  std::string summary;
  std::vector<Parameter> parameters = {};
  Schema result;
  std::vector<ErrorReply> errors = {};  // beside 400, 401, 403, 429 and 503, which every route may answer
  std::string content_type = "application/json";
  std::optional<Schema> body = std::nullopt;
  bool for_programs = false;  // a caller is no viewer, for whom the configuration would be watched
  Dialect dialect = Dialect::kOwn;
  std::function<void(const Call& call)> handler;
};

// The first parts of the paths. What Prometheus does not have below /api/v1 is answered there as well,
// under its old path.
constexpr std::string_view kApiRoot = "/api/ui/v1";
constexpr std::string_view kPrometheusRoot = "/api/v1";
constexpr std::string_view root_of(Dialect dialect) { return dialect == Dialect::kOwn ? kApiRoot : kPrometheusRoot; }

struct RouteTable {
  std::vector<Route> routes;
  std::vector<schema::Field> schemas;  // components that results refer to by name
};

// The OpenAPI 3.0 document, as JSON.
std::string openapi_document(const RouteTable& table);

}  // namespace monitor::analysis::web
