#include "bin/common/help.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <sstream>

#include "base/text.h"

namespace monitor {

namespace {

constexpr const char* kOwnGroup = "Options";  // CLI11's name for options without a group

// True for options that exist in every command separately, or only in the program.
bool is_of_one_command(const CLI::Option& option) {
  constexpr std::array<std::string_view, 3> kNames = {"help", "version", "generate"};
  const auto& names = option.get_lnames();
  return !names.empty() && std::ranges::find(kNames, names.front()) != kNames.end();
}

// Shows value names and defaults instead of CLI11's types.
class HelpFormatter final : public CLI::Formatter {
 public:
  explicit HelpFormatter(HelpText text) : text_(std::move(text)) { label("Positionals", "Arguments"); }

  std::string make_option_name(const CLI::Option* option, bool positional) const override {
    const std::string value = positional ? value_text(*option) : "";
    return value.empty() ? CLI::Formatter::make_option_name(option, positional) : value;
  }

  std::string make_option_opts(const CLI::Option* option) const override {
    const bool positional = !option->nonpositional();
    const std::string value = positional ? "" : value_text(*option);
    if (positional && option->get_expected_max() > 1) return " ...";
    return value.empty() ? "" : " " + value;
  }

  std::string make_option_desc(const CLI::Option* option) const override {
    std::string text = option->get_description();
    const std::string value = option->get_default_str();
    const bool said = value.empty() || value == "[]" || value == "0" || text.find("(default") != std::string::npos;
    if (!said) text += fmt::format(" (default: {})", value);
    return option->get_required() && option->nonpositional() ? text + " (required)" : text;
  }

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override {
    if (mode == CLI::AppFormatMode::Sub) return CLI::Formatter::make_help(app, name, mode);
    return make_description(app) + make_usage(app, name) + make_positionals(app) + make_own(app) +
           make_inherited(*app) + make_subcommands(app, mode) + "\n" + make_footer(app);
  }

  std::string make_footer(const CLI::App* app) const override {
    const std::string examples = examples_of(text_.examples, *app);
    std::string out = examples.empty() ? "" : "Examples:\n" + examples + "\n";
    out +=
        fmt::format("Every option is also an environment variable: --log-level is {}LOG_LEVEL.\n", text_.environment);
    if (app->get_parent() == nullptr) {
      out += fmt::format("{} --generate man|bash|zsh|fish prints the man page and completion for a shell.\n",
                         app->get_name());
    }
    return out;
  }

 private:
  std::string make_own(const CLI::App* app) const {
    std::string out;
    for (const std::string& group : app->get_groups()) {
      if (group.empty()) continue;
      const auto options = app->get_options(
          [&](const CLI::Option* option) { return option->get_group() == group && option->nonpositional(); });
      if (!options.empty()) out += make_group(group, false, options);
    }
    return out;
  }

  std::string make_inherited(const CLI::App& app) const {
    std::vector<std::pair<std::string, std::vector<const CLI::Option*>>> groups;
    for (const CLI::Option* option : inherited_options(app, text_.unused)) {
      const std::string& group = option->get_group();
      const std::string title = group == kOwnGroup ? "Options of every subcommand" : group;
      const auto at = std::ranges::find_if(groups, [&](const auto& one) { return one.first == title; });
      if (at == groups.end()) {
        groups.emplace_back(title, std::vector{option});
      } else {
        at->second.push_back(option);
      }
    }
    std::string out;
    for (const auto& [title, options] : groups) out += make_group(title, false, options);
    return out;
  }

  HelpText text_;
};

}  // namespace

std::shared_ptr<CLI::FormatterBase> make_help_formatter(HelpText text) {
  return std::make_shared<HelpFormatter>(std::move(text));
}

std::string command_of(const CLI::App& app) {
  return app.get_parent() == nullptr ? app.get_name() : command_of(*app.get_parent()) + " " + app.get_name();
}

std::string path_of(const CLI::App& app) {
  if (app.get_parent() == nullptr) return "";
  const std::string above = path_of(*app.get_parent());
  return above.empty() ? app.get_name() : above + " " + app.get_name();
}

std::string examples_of(const std::string& examples, const CLI::App& app) {
  if (app.get_parent() == nullptr) return examples;
  const std::string command = command_of(app) + " ";
  std::string out;
  for (const std::string_view line : split(examples, '\n')) {
    if ((std::string(trim(line)) + " ").starts_with(command)) out += std::string(line) + "\n";
  }
  return out;
}

std::vector<const CLI::Option*> inherited_options(const CLI::App& app, const UnusedGroups& unused) {
  const auto found = unused.find(path_of(app));
  std::vector<const CLI::Option*> inherited;
  for (const CLI::App* at = app.get_parent(); at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* option : at->get_options()) {
      const std::string& group = option->get_group();
      const bool hidden = group.empty() || !option->nonpositional() || is_of_one_command(*option);
      const bool idle = found != unused.end() && std::ranges::find(found->second, group) != found->second.end();
      if (!hidden && !idle) inherited.push_back(option);
    }
  }
  return inherited;
}

void group_own_options(CLI::App& app, const std::string& title, const std::vector<std::string>& shared) {
  constexpr std::array<std::string_view, 2> kOfAll = {"--log-level", "--log-format"};
  for (CLI::Option* const option : app.get_options()) {
    const auto is = [&](std::string_view name) { return option->check_name(std::string(name)); };
    if (is_of_one_command(*option) || !option->nonpositional() || option->get_group() != kOwnGroup) continue;
    if (std::ranges::none_of(kOfAll, is) && std::ranges::none_of(shared, is)) option->group(title);
  }
}

std::string value_text(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";
  // CLI11 appends descriptions of its checks: PORT:INT in [1 - 65535], TEXT:{table,json}.
  std::string name = option.get_type_name();
  name.resize(std::min(name.size(), name.find(":INT in ")));
  name.resize(std::min(name.size(), name.find(":UINT in ")));
  if (!name.starts_with("TEXT:{")) return name;
  name = name.substr(6, name.size() - 7);
  std::replace(name.begin(), name.end(), ',', '|');
  return name;
}

std::string upper_with_underscores(std::string text) {
  for (char& c : text) c = c == '-' || c == ' ' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

}  // namespace monitor
