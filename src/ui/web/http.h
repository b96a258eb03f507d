// Requests and replies of the web server, and the checks of who may send them. No I/O; fuzzed.
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
  std::string address = {};        // of the client, or of the proxy in front of it
  std::string address_group = {};  // limits count this as one address
  std::string forwarded_for = {};  // X-Forwarded-For, as claimed by the client or a proxy
  std::string fault = {};          // not empty: the request is rejected with 400 for this reason
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;
  std::string allow = {};  // of a 405
  bool keep = false;       // may be cached for ever
  int retry_after_s = 0;   // 0: no Retry-After
};

// Decodes %XX in place, and returns the new length. "%00" stays as it is: a NUL would end the text for its readers.
size_t unescape(char* text);

Reply json_reply(std::string json, unsigned status = 200);
Reply text_reply(unsigned status, const std::string& text);
// {"error": ...}, with the HTTP status for the error's code.
Reply error_reply(const Error& error);
Reply error_reply(unsigned status, const std::string& message);

struct Access {
  std::vector<std::string> hosts;  // names of the server beside localhost and IP addresses; in any case
  std::string token;               // required for changes; empty: no changes
};
// The Host header must name this server: against DNS rebinding, with which a page elsewhere could read from here.
Status check_host(const Request& request, const Access& access);
// Whether the request carries a token, right or wrong.
bool token_given(const Request& request);
// A change must carry the token, and must not come from a page of another origin.
Status check_change(const Request& request, const Access& access);

}  // namespace monitor::analysis::web
