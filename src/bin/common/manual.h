// Man pages and shell completion from the description of a program's options.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "base/result.h"

namespace monitor {

// `what` is man, bash, zsh or fish.
Result<std::string> generate_manual(const std::string& what, const CLI::App& app, const std::string& name,
                                    const std::string& description, const std::string& examples,
                                    const std::string& version);

}  // namespace monitor
