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
  std::string address = {};        // of the client: of a proxy, if one is in between
  std::string address_group = {};  // what limits count as one address
  std::string forwarded_for = {};  // X-Forwarded-For: whom a proxy, or anybody, claims to speak for
  std::string fault = {};          // why the request is refused with 400, before anything else is looked at
};

struct Reply {
  unsigned status = 200;
  std::string content_type = "application/json";
  std::shared_ptr<const std::string> body;
  std::string allow = {};  // of a 405
  bool keep = false;       // may be cached: its name changes with its content
  int retry_after_s = 0;   // 0: says nothing of it
};

// Undoes %XX in place; the new length. "%00" stays as it is: a NUL would end the text for all who read it.
size_t unescape(char* text);

Reply json_reply(std::string json, unsigned status = 200);
Reply text_reply(unsigned status, const std::string& text);
// {"error": ..., "code": ...}; the status is that of the error's code.
Reply error_reply(const Error& error);
Reply error_reply(unsigned status, const std::string& message);

struct Access {
  std::vector<std::string>
      hosts;          // in any case: names beside localhost and addresses by which the server may be called
  std::string token;  // for what changes something; empty: nobody may
};
// A page elsewhere must not read through a name that it had point here: a name in Host must be one of ours.
Status check_host(const Request& request, const Access& access);
// Whether it carries a token, right or wrong.
bool token_given(const Request& request);
// What changes something comes from our own page, or from no page, and with the token.
Status check_change(const Request& request, const Access& access);

}  // namespace monitor::analysis::web
