#include "bin/common/manual.h"

#include <fmt/format.h>

#include <functional>
#include <vector>

#include "base/text.h"

namespace monitor {

namespace {

std::vector<const CLI::App*> subcommands(const CLI::App& app) {
  std::vector<const CLI::App*> visible;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().empty()) visible.push_back(sub);
  }
  return visible;
}

std::vector<const CLI::Option*> options(const CLI::App& app) {
  std::vector<const CLI::Option*> visible;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) visible.push_back(option);
  }
  return visible;
}

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  // A line may not begin with a control character of roff.
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

void man_options(const CLI::App& app, std::string& out) {
  for (const CLI::Option* option : options(app)) {
    const std::string type = option->get_type_size() == 0 ? "" : " " + option->get_type_name();
    out += fmt::format(".TP\n.B {}{}\n{}", roff(option->get_name(false, true)), roff(type),
                       roff(option->get_description()));
    if (!option->get_default_str().empty()) out += fmt::format(" (default: {})", roff(option->get_default_str()));
    if (!option->get_envname().empty()) out += fmt::format(" [environment: {}]", roff(option->get_envname()));
    out += "\n";
  }
}

std::string man_page(const CLI::App& app, const std::string& name, const std::string& description,
                     const std::string& examples, const std::string& version) {
  std::string out = fmt::format(".TH {} 1 \"\" \"monitor {}\" \"Monitoring Tool\"\n", roff(name), version);
  out += fmt::format(".SH NAME\n{} \\- {}\n", roff(name), roff(description));
  out += fmt::format(".SH SYNOPSIS\n.B {}\n[OPTIONS]{}\n", roff(name), subcommands(app).empty() ? "" : " [SUBCOMMAND]");
  out += ".SH OPTIONS\n";
  man_options(app, out);
  for (const CLI::App* sub : subcommands(app)) {
    out += fmt::format(".SH {}\n{}\n", roff(sub->get_name()), roff(sub->get_description()));
    man_options(*sub, out);
  }
  if (!examples.empty()) out += ".SH EXAMPLES\n.nf\n" + roff(examples) + ".fi\n";
  out +=
      ".SH EXIT STATUS\n0 success, 1 a negative answer, 64 usage, 69 service or port not available, 70 a fault of the "
      "program, 74 I/O, 75 conflict or time\\-out, 78 configuration.\n";
  return out;
}

std::vector<std::string> words(const CLI::App& app) {
  std::vector<std::string> result;
  for (const CLI::App* sub : subcommands(app)) result.push_back(sub->get_name());
  for (const CLI::Option* option : options(app)) {
    for (const std::string& name : option->get_lnames()) result.push_back("--" + name);
  }
  return result;
}

std::string function_name(std::string name) {
  for (char& c : name) c = c == '-' ? '_' : c;
  return "_" + name;
}

// Of a subcommand: its own and what is below it, and what it is told besides options.
std::vector<std::string> words_of(const CLI::App& sub, const Completions& completions) {
  std::vector<std::string> all = words(sub);
  for (const CLI::App* below : subcommands(sub)) {
    for (std::string& word : words(*below)) all.push_back(std::move(word));
  }
  const auto more = completions.find(sub.get_name());
  if (more != completions.end()) all.insert(all.end(), more->second.begin(), more->second.end());
  return all;
}

// One word list for the program, one for each subcommand; files where an option takes a value.
std::string bash_completion(const CLI::App& app, const std::string& name, const Completions& completions) {
  std::string out = fmt::format("# bash completion of {}\n{}() {{\n", name, function_name(name));
  out += "  local current=${COMP_WORDS[COMP_CWORD]} word list set=\n";
  // '=' parts words: NAME=VALUE is put together again.
  out += "  [[ $current == = ]] && current= && set=${COMP_WORDS[COMP_CWORD-1]}=\n";
  out += "  [[ ${COMP_WORDS[COMP_CWORD-1]} == = ]] && set=${COMP_WORDS[COMP_CWORD-2]}=\n";
  out += fmt::format("  list=\"{}\"\n", join(words(app), " "));
  out += "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n    case $word in\n";
  for (const CLI::App* sub : subcommands(app)) {
    std::vector<std::string> all = words_of(*sub, completions);
    for (const std::string& word : words(app)) {
      if (word.starts_with("--")) all.push_back(word);
    }
    out += fmt::format("      {}) list=\"{}\" ;;\n", sub->get_name(), join(all, " "));
  }
  out += "      *) ;;\n    esac\n  done\n";
  out += "  COMPREPLY=($(compgen -W \"$list\" -- \"$set$current\"))\n";
  out += "  COMPREPLY=(\"${COMPREPLY[@]#\"$set\"}\")\n";
  out += "  [[ ${COMPREPLY[0]-} == *= ]] && compopt -o nospace 2> /dev/null\n";
  out += fmt::format("}}\ncomplete -o default -F {} {}\n", function_name(name), name);
  return out;
}

std::string zsh_completion(const CLI::App& app, const std::string& name, const Completions& completions) {
  return fmt::format("#compdef {}\nautoload -U +X bashcompinit && bashcompinit\n{}", name,
                     bash_completion(app, name, completions));
}

std::string fish_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

std::string fish_completion(const CLI::App& app, const std::string& name, const Completions& completions) {
  std::string out = fmt::format("# fish completion of {}\n", name);
  const auto add_options = [&](const CLI::App& of, const std::string& condition) {
    for (const CLI::Option* option : options(of)) {
      for (const std::string& long_name : option->get_lnames()) {
        out += fmt::format("complete -c {}{} -l {}{} -d {}\n", name, condition, long_name,
                           option->get_type_size() == 0 ? "" : " -r", fish_quote(option->get_description()));
      }
    }
  };
  add_options(app, "");
  for (const CLI::App* sub : subcommands(app)) {
    out += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d {}\n", name, sub->get_name(),
                       fish_quote(sub->get_description()));
    add_options(*sub, fmt::format(" -n '__fish_seen_subcommand_from {}'", sub->get_name()));
    const auto more = completions.find(sub->get_name());
    if (more == completions.end()) continue;
    out += fmt::format("complete -c {} -n '__fish_seen_subcommand_from {}' -f -a {}\n", name, sub->get_name(),
                       fish_quote(join(more->second, " ")));
  }
  return out;
}

}  // namespace

Result<std::string> generate_manual(const std::string& what, const CLI::App& app, const std::string& name,
                                    const std::string& description, const std::string& examples,
                                    const std::string& version, const Completions& completions) {
  if (what == "man") return man_page(app, name, description, examples, version);
  if (what == "bash") return bash_completion(app, name, completions);
  if (what == "zsh") return zsh_completion(app, name, completions);
  if (what == "fish") return fish_completion(app, name, completions);
  return Error(Code::kInvalidArgument, fmt::format("got \"{}\", known: man, bash, zsh, fish", what));
}

}  // namespace monitor
