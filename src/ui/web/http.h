// Requests and replies of the web server, and the checks of where they come from. No I/O; fuzzed.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "ui/web/query.h"

namespace monitor::analysis::web {

struct Request {
  std::string method;
  std::string path;  // decoded, without the query
  Parameters parameters;
  std::string host;
  std::string origin;
  std::string site;  // Sec-Fetch-Site
  std::string authorization;
  std::string last_event_id;
  std::string body;
  std::string address = {};        // of the client, or of a proxy in front of this server
  std::string address_group = {};  // limits treat all addresses of a group as one
  std::string forwarded_for = {};  // X-Forwarded-For, as claimed by the client or a proxy
  Parameters headers = {};         // all of them, with their names in any case
  std::string fault = {};          // not empty: the request is rejected with 400 for this reason
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;
  std::string allow = {};  // methods for the Allow header of a 405
  bool keep = false;       // may be cached forever
  int retry_after_s = 0;   // 0: no Retry-After
  std::string set_cookie = {};
  std::string location = {};  // of a redirection
  std::string encoding = {};  // Content-Encoding of the body
  bool varies = false;        // with the request's Accept-Encoding
};

// Decodes %XX in place and returns the new length. Leaves "%00" as it is, because a NUL would end the text for C code.
size_t unescape(char* text);

Reply json_reply(std::string json, unsigned status = 200);
Reply text_reply(unsigned status, const std::string& text);
// {"error": ...}, with the HTTP status for the error's code.
Reply error_reply(const Error& error);
Reply error_reply(unsigned status, const std::string& message);

// For /graph?g0.expr=..., Prometheus' link to the result of an expression: a redirection to Explore. Relative, because
// a proxy may serve the page below a path.
Reply graph_reply(const Request& request);

// The values of all headers of this name, in the order in which they came. Their names compare in any case.
std::vector<std::string> header_values(const Request& request, std::string_view name);

// The Host header must name this server: against DNS rebinding, with which a page elsewhere could read from here.
// `names`: those of the server beside localhost and IP addresses, in any case.
Status check_host(const Request& request, const std::vector<std::string>& names);
// A request that changes something must not come from a page of another origin.
Status check_origin(const Request& request);
// The token in the header Authorization, right or wrong; nullopt: the request carries none. Empty, which no token is,
// if the header appears twice.
std::optional<std::string_view> bearer_token(const Request& request);

}  // namespace monitor::analysis::web
