// Generates man pages and shell completion from a program's options.
#pragma once

#include <CLI/CLI.hpp>

#include <string>

#include "base/result.h"
#include "bin/common/completion.h"

namespace monitor {

struct ManualText {
  std::string description;
  std::string examples;
  std::string version;
};

// `what` is man, bash, zsh or fish.
Result<std::string> generate_manual(const std::string& what, const CLI::App& app, const ManualText& text,
                                    const Completions& completions, const UnusedGroups& unused);

}  // namespace monitor
