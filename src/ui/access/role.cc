#include "ui/access/role.h"

#include <fmt/format.h>

#include "base/text.h"

namespace monitor::access {

std::string_view to_string(Role role) {
  switch (role) {
    case Role::kViewer:
      return "viewer";
    case Role::kEditor:
      return "editor";
    case Role::kAdmin:
      return "admin";
    case Role::kNone:
      break;
  }
  return "none";
}

Result<Role> parse_role(std::string_view name) {
  for (const Role role : {Role::kViewer, Role::kEditor, Role::kAdmin}) {
    if (name == to_string(role)) return role;
  }
  return Error(Code::kInvalidArgument,
               fmt::format("got the role {}, expected viewer, editor or admin", json_quote(name.substr(0, 64))));
}

}  // namespace monitor::access
