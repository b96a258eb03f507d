// Reads the options of installed services: NAME=VALUE lines, as systemd's EnvironmentFile= reads them
// (systemd.exec(5)), so that a unit and our commands agree. Pure function.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::doctor {

// Comments (# and ;), empty lines, values in single or double quotes, and backslashes before any character in double
// quotes or without quotes. A value on several lines is an error. The last of two lines with one name counts.
// kInvalidArgument names the line, and never shows a value: it may be a secret.
Result<std::map<std::string, std::string>> parse_env_file(std::string_view text);

// VALUE as parse_env_file() and systemd read it back. kInvalidArgument for control characters.
Result<std::string> env_value(std::string_view value);

}  // namespace monitor::doctor
