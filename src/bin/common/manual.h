// Man pages and shell completion from the description of a program's options.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

#include "base/result.h"

namespace monitor {

// What a subcommand is told besides its options: "set" -> "interval=", "log_level=debug".
using Completions = std::map<std::string, std::vector<std::string>>;

// `what` is man, bash, zsh or fish.
Result<std::string> generate_manual(const std::string& what, const CLI::App& app, const std::string& name,
                                    const std::string& description, const std::string& examples,
                                    const std::string& version, const Completions& completions);

}  // namespace monitor
