// Generates shell completion from a program's options.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <string>
#include <vector>

#include "bin/common/help.h"

namespace monitor {

// Completions in addition to the names of subcommands and options, and the choices in an option's value name.
struct Completions {
  // Arguments of a subcommand, by its path: "override set" -> "interval=", "log_level=debug".
  std::map<std::string, std::vector<std::string>> arguments = {};
  // Values of an option, by its long name: "metric" -> "system.cpu.utilization".
  std::map<std::string, std::vector<std::string>> values = {};
  // Options and arguments whose values are names that `monitor-config names KIND` prints, by the option's long name or
  // the argument's value name: "agent-id" -> "agents", "AGENT" -> "agents".
  std::map<std::string, std::string> names = {};
  // Subcommands that run other programs: "config" runs monitor-config, which completes the rest.
  std::vector<std::string> programs = {};
};

// `app` is the program; its name must be a valid shell identifier once '-' is replaced by '_'.
std::string bash_completion(const CLI::App& app, const Completions& completions, const UnusedGroups& unused);
std::string zsh_completion(const CLI::App& app, const Completions& completions, const UnusedGroups& unused);
std::string fish_completion(const CLI::App& app, const Completions& completions);

// Visible subcommands and options, in declaration order.
std::vector<const CLI::App*> visible_subcommands(const CLI::App& app);
std::vector<const CLI::Option*> visible_options(const CLI::App& app);

}  // namespace monitor
