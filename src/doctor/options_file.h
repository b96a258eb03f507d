// Changes options in a file that a service reads (env_file.h), and keeps everything else as it is: comments, order,
// other options. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::doctor {

using OptionChanges = std::map<std::string, std::optional<std::string>>;

// Sets NAME=VALUE for each change; one without a value is removed. A line with the option is replaced where it is,
// else a comment that shows it (`#NAME=...`) is followed by it, else it is appended. kInvalidArgument: a value that
// cannot be written on a line; a file that cannot be parsed.
Result<std::string> edit_options(std::string_view text, const OptionChanges& changes);

// The lines that differ, with "-" and "+" and in order; empty if none do.
std::string line_diff(std::string_view before, std::string_view after);

}  // namespace monitor::doctor
