// Help texts: of a program, and of each subcommand with its own examples and the options that it inherits.
#pragma once

#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace monitor {

// Groups of a program's options that do nothing in a subcommand: "list" -> "Which document". By the subcommand's path
// ("override set"); their help leaves these options out.
using UnusedGroups = std::map<std::string, std::vector<std::string>>;

struct HelpText {
  std::string examples;     // of the program and its subcommands: lines, as typed
  std::string environment;  // "MONITOR_CONFIG_"
  UnusedGroups unused = {};
};

std::shared_ptr<CLI::FormatterBase> make_help_formatter(HelpText text);

// The command as typed: "monitor-config override set".
std::string command_of(const CLI::App& app);
// The same without the program's name; empty for the program itself.
std::string path_of(const CLI::App& app);
// The lines of `examples` that call this command or one below it.
std::string examples_of(const std::string& examples, const CLI::App& app);
// The options of all parents that count for this command, too: a program's --data for its subcommands.
std::vector<const CLI::Option*> inherited_options(const CLI::App& app, const UnusedGroups& unused);
// What stands for the value of an option or argument: "HOST:PORT", "table|json". Empty for a flag.
std::string value_text(const CLI::Option& option);
std::string upper_with_underscores(std::string text);

}  // namespace monitor
