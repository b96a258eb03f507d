// Identity: who sent a request, and what that allows. A value type.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "ui/access/role.h"

namespace monitor::analysis::web {

struct Identity {
  enum class Kind : uint8_t {
    kAnyone,    // not known
    kOpen,      // not known, on a page that needs no login
    kSession,   // a cookie of a login
    kApiToken,  // a token of the users file
    kWebToken,  // the token of --web-token-file
    kProxy,     // named by a trusted proxy
  };

  Kind kind = Kind::kAnyone;
  access::Role role = access::Role::kNone;
  std::string name = {};  // of the user or the token
  std::string key = {};   // identifies the session; not a secret
  std::string csrf = {};  // what a change must carry in X-CSRF-Token; empty: nothing

  // For the audit log: "session", "api-token", ...
  std::string_view kind_name() const;
  // For log lines: "ann", "token ci", "holder of the web token".
  std::string text() const;
};

}  // namespace monitor::analysis::web
