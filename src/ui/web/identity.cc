#include "ui/web/identity.h"

namespace monitor::analysis::web {

std::string_view Identity::kind_name() const {
  switch (kind) {
    case Kind::kSession:
      return "session";
    case Kind::kApiToken:
      return "api-token";
    case Kind::kWebToken:
      return "web-token";
    case Kind::kProxy:
      return "proxy";
    case Kind::kOpen:
      return "open";
    case Kind::kAnyone:
      break;
  }
  return "anyone";
}

std::string Identity::text() const {
  switch (kind) {
    case Kind::kSession:
    case Kind::kProxy:
      return name;
    case Kind::kApiToken:
      return "token " + name;
    case Kind::kWebToken:
      return "holder of the web token";
    case Kind::kOpen:
    case Kind::kAnyone:
      break;
  }
  return "anyone";
}

}  // namespace monitor::analysis::web
