// Roles of the web page and its API. Each role may do what the one before it may do. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

#include "base/result.h"

namespace monitor::access {

enum class Role : uint8_t {
  kNone,    // not logged in
  kViewer,  // reads
  kEditor,  // also changes the configuration
  kAdmin,   // also reads the audit log
};

// "none", "viewer", "editor", "admin".
std::string_view to_string(Role role);
// kInvalidArgument for other names, and for "none".
Result<Role> parse_role(std::string_view name);

}  // namespace monitor::access
