// Formats the help of a program, and of each subcommand with its own examples and inherited options.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace monitor {

// Option groups that have no effect in a subcommand, by its path: "list" -> "Document". Its help omits them.
using UnusedGroups = std::map<std::string, std::vector<std::string>>;

// Puts the options of the program itself into the group `title`, except for those of all programs and `shared` (as
// "--data"). Call it when all options are declared.
void group_own_options(CLI::App& app, const std::string& title, const std::vector<std::string>& shared);

struct HelpText {
  std::string examples;     // command lines of the program and its subcommands
  std::string environment;  // "MONITOR_CONFIG_"
  UnusedGroups unused = {};
};

std::shared_ptr<CLI::FormatterBase> make_help_formatter(HelpText text);

// The full command: "monitor-config override set".
std::string command_of(const CLI::App& app);
// The command without the program's name; empty for the program itself.
std::string path_of(const CLI::App& app);
// The lines of `examples` that call this command or one below it.
std::string examples_of(const std::string& examples, const CLI::App& app);
// Options inherited from all parents, such as --data of the program.
std::vector<const CLI::Option*> inherited_options(const CLI::App& app, const UnusedGroups& unused);
// The placeholder for an option's or argument's value: "HOST:PORT", "table|json". Empty for a flag.
std::string value_text(const CLI::Option& option);
std::string upper_with_underscores(std::string text);

}  // namespace monitor
