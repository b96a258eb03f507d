// Requests and replies of the web server, and the checks of who may send requests. No I/O; fuzzed.
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
  std::string fault = {};          // not empty: the request is rejected with 400 for this reason
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;
  std::string allow = {};  // methods for the Allow header of a 405
  bool keep = false;       // may be cached forever
  int retry_after_s = 0;   // 0: no Retry-After
};

// Decodes %XX in place and returns the new length. Leaves "%00" as it is, because a NUL would end the text for C code.
size_t unescape(char* text);

Reply json_reply(std::string json, unsigned status = 200);
Reply text_reply(unsigned status, const std::string& text);
// {"error": ...}, with the HTTP status for the error's code.
Reply error_reply(const Error& error);
Reply error_reply(unsigned status, const std::string& message);

struct Access {
  std::vector<std::string> hosts;  // names of the server besides localhost and IP addresses; case does not matter
  std::string token;               // required for changes; empty: no changes
};
// The Host header must name this server. This prevents DNS rebinding, which lets a foreign page read from this server.
Status check_host(const Request& request, const Access& access);
// True if the request carries a token, right or wrong.
bool token_given(const Request& request);
// A change must carry the token, and must not come from a page of another origin.
Status check_change(const Request& request, const Access& access);

}  // namespace monitor::analysis::web
