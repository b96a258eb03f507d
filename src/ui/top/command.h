// The `:` commands of `top`: their syntax and completion. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::analysis::top {

struct Command {
  enum class Name : uint8_t { kSort, kFilter, kHost, kAlerts, kColumns, kTable, kPause, kHelp, kQuit };
  Name name = Name::kHelp;
  std::string argument;
};

// Without the colon. Commands may be shortened as far as they are unique. kInvalidArgument: for the user.
Result<Command> parse_command(std::string_view text);

// What completion chooses from.
struct Completions {
  std::vector<std::string> columns;
  std::vector<std::string> agents;
  std::vector<std::string> labels;  // label=value
};

struct Completed {
  std::string text;                  // the command, as far as it is certain
  std::vector<std::string> choices;  // if there are several: at most kMostChoices
};
inline constexpr size_t kMostChoices = 20;
Completed complete(std::string_view text, const Completions& known);

// A line of the help for each command.
std::vector<std::string> command_help();

}  // namespace monitor::analysis::top
