#include "ui/top/command.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>

#include "base/text.h"

namespace monitor::analysis::top {

namespace {

using Name = Command::Name;

struct CommandSpec {
  Name name;
  std::string_view word;
  std::string_view argument;  // empty: none; in brackets: it may be left out
  std::string_view help;
};

constexpr std::array<CommandSpec, 9> kCommands = {{
    {Name::kSort, "sort", "COLUMN", "sort by a column; -COLUMN: smallest first"},
    {Name::kFilter, "filter", "[WORDS]", "show agents that match: rack=a, state=late, web-*"},
    {Name::kHost, "host", "NAME", "open an agent"},
    {Name::kAlerts, "alerts", "", "the alerts that are firing or pending"},
    {Name::kColumns, "columns", "[NAMES]", "choose columns: cpu,memory  +load  -host  standard"},
    {Name::kTable, "table", "", "back to the table"},
    {Name::kPause, "pause", "", "stop and continue"},
    {Name::kHelp, "help", "", "keys and commands"},
    {Name::kQuit, "quit", "", "end"},
}};

std::vector<const CommandSpec*> starting_with(std::string_view word) {
  std::vector<const CommandSpec*> found;
  for (const CommandSpec& one : kCommands) {
    if (one.word == word) return {&one};
    if (!word.empty() && one.word.starts_with(word)) found.push_back(&one);
  }
  return found;
}

// The candidates that begin with `begun`, and the longest beginning that they share.
Completed choose(std::string_view before, std::string_view begun, std::span<const std::string> candidates) {
  Completed done;
  std::string shared;
  for (const std::string& one : candidates) {
    if (!one.starts_with(begun)) continue;
    if (done.choices.empty()) {
      shared = one;
    } else {
      shared.resize(static_cast<size_t>(std::ranges::mismatch(shared, one).in1 - shared.begin()));
    }
    if (done.choices.size() < kMostChoices) done.choices.push_back(one);
  }
  done.text = std::string(before) + (done.choices.empty() ? std::string(begun) : shared);
  if (done.choices.size() == 1) done.choices.clear();
  return done;
}

}  // namespace

Result<Command> parse_command(std::string_view text) {
  text = trim(text);
  const size_t space = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, space);
  const std::string_view argument = trim(text.substr(space));
  const auto found = starting_with(word);
  if (found.empty()) {
    return Error(Code::kInvalidArgument,
                 fmt::format("there is no command {}; :help lists the commands", json_quote(word)));
  }
  if (found.size() > 1) {
    return Error(Code::kInvalidArgument, fmt::format("several commands begin with {}: {} and {}", json_quote(word),
                                                     found[0]->word, found[1]->word));
  }
  const CommandSpec& spec = *found.front();
  if (!argument.empty() && spec.argument.empty()) {
    return Error(Code::kInvalidArgument, fmt::format(":{} takes no argument, got {}", spec.word, json_quote(argument)));
  }
  if (argument.empty() && !spec.argument.empty() && spec.argument.front() != '[') {
    return Error(Code::kInvalidArgument,
                 fmt::format(":{} needs an argument: :{} {}", spec.word, spec.word, spec.argument));
  }
  return Command{spec.name, std::string(argument)};
}

Completed complete(std::string_view text, const Completions& known) {
  const size_t space = text.find(' ');
  if (space == std::string_view::npos) {
    std::vector<std::string> words;
    words.reserve(kCommands.size());
    for (const CommandSpec& one : kCommands) words.emplace_back(one.word);
    Completed done = choose("", text, words);
    // A complete command is ready for its argument.
    const auto found = starting_with(done.text);
    if (done.choices.empty() && found.size() == 1 && !found.front()->argument.empty()) done.text += ' ';
    return done;
  }
  const auto found = starting_with(text.substr(0, space));
  if (found.size() != 1) return {.text = std::string(text), .choices = {}};
  const Name name = found.front()->name;
  // Of the last word only: filters and columns have several.
  const size_t begin = text.find_last_of(name == Name::kColumns ? " ,+-" : (name == Name::kSort ? " -" : " ")) + 1;
  const std::string_view before = text.substr(0, begin);
  const std::string_view begun = text.substr(begin);
  if (name == Name::kSort || name == Name::kColumns) return choose(before, begun, known.columns);
  if (name == Name::kHost) return choose(before, begun, known.agents);
  if (name == Name::kFilter) return choose(before, begun, known.labels);
  return {.text = std::string(text), .choices = {}};
}

std::vector<std::string> command_help() {
  std::vector<std::string> lines;
  lines.reserve(kCommands.size());
  for (const CommandSpec& one : kCommands) {
    lines.push_back(fmt::format("{:<18} {}", fmt::format(":{} {}", one.word, one.argument), one.help));
  }
  return lines;
}

}  // namespace monitor::analysis::top
