#include "bin/common/completion.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace monitor {

namespace {

// Runs monitor-config, with a timeout. Passes on the options that name the configuration store.
constexpr std::string_view kNamesFunction = R"({function}_names() {{
  local program=${{1/#\~/$HOME}} line=() arguments=() i
  case $program in */*) program=${{program%/*}}/monitor-config ;; *) program=monitor-config ;; esac
  IFS=$' \t\n' read -ra line <<< "${{COMP_LINE-}}"
  for ((i = 1; i < ${{#line[@]}}; i++)); do
    case ${{line[i]}} in
      --data=* | --dir=* | --etcd=* | --etcd-*=* | --etcd-insecure) arguments+=("${{line[i]}}") ;;
      --config-dir) arguments+=(--dir "${{line[i+1]-}}") ;;
      --data | --dir | --etcd | --etcd-*) arguments+=("${{line[i]}}" "${{line[i+1]-}}") ;;
    esac
  done
  timeout 3 "$program" names "$2" ${{arguments[@]+"${{arguments[@]}}"}} 2> /dev/null
}}
)";

// Runs before the walk over the words. '=' separates words in bash but not in zsh: --format=json is three words or one.
constexpr std::string_view kBegin =
    R"(  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD-1]}} head='' joined='' option='' path='' list='' word i
  if [[ $current == = ]]; then head=$before= current=''
  elif [[ $before == = ]]; then head=${{COMP_WORDS[COMP_CWORD-2]}}=
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=${{COMP_WORDS[i]}}
    case $word in
)";

// `monitor config ...` is completed like monitor-config ...
constexpr std::string_view kPrograms = R"(  case ${{COMP_WORDS[1]-}} in {programs})
    if ((COMP_CWORD > 1)); then
      local program=${{COMP_WORDS[1]}} called=${{COMP_WORDS[0]/#\~/$HOME}}
      declare -F "{function}_$program" > /dev/null || source <("$called" "$program" --generate bash)
      COMP_WORDS=("${{COMP_WORDS[0]}}-$program" "${{COMP_WORDS[@]:2}}")
      ((COMP_CWORD--))
      "{function}_$program"
      return
    fi ;;
  esac
)";

// Runs when the list of candidates is known.
constexpr std::string_view kEnd = R"(  local IFS=$'\n' quoted=''
  case $current in [\"\']*) quoted=yes current=${{current:1}} ;; esac
  COMPREPLY=($(compgen -W "$list" -- "$head$current"))
  COMPREPLY=("${{COMPREPLY[@]#"$head"}}")
  [[ -n $quoted ]] || COMPREPLY=("${{COMPREPLY[@]// /\\ }}")
  COMPREPLY=("${{COMPREPLY[@]/#/$joined}}")
  [[ ${{COMPREPLY[0]-}} != *= ]] || compopt -o nospace 2> /dev/null
}}
complete -o default -F {function} {name}
)";

std::string function_name(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return "_" + name;
}

std::vector<std::string> dashed(const std::vector<const CLI::Option*>& options) {
  std::vector<std::string> names;
  for (const CLI::Option* option : options) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

// An option that may stand alone (--simulate) takes a value only after '='.
bool takes_value(const CLI::Option& option) {
  return option.get_type_size() != 0 && (option.get_expected_min() > 0 || option.get_expected_max() > 1);
}

bool takes_many(const CLI::Option& option) { return option.get_expected_min() == 0 && option.get_expected_max() > 1; }

// The fixed words in the placeholder of a value: "table|json" has two, "ADDR:PORT|off" has one.
std::vector<std::string> choices_of(const CLI::Option& option) {
  std::vector<std::string> words;
  const std::string text = value_text(option);
  if (text.find('|') == std::string::npos) return words;
  for (const std::string_view part : split(text, '|')) {
    const bool word = std::ranges::none_of(part, [](char c) { return (c >= 'A' && c <= 'Z') || c == '[' || c == ' '; });
    if (word && !part.empty()) words.emplace_back(part);
  }
  return words;
}

// A list for compgen -W, one word per line.
std::string bash_list(const std::vector<std::string>& words) {
  std::string out = "$'";
  for (const std::string& word : words) {
    if (out.size() > 2) out += "\\n";
    for (const char c : word) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  }
  return out + "'";
}

class BashWriter {
 public:
  BashWriter(const CLI::App& app, const Completions& completions, const UnusedGroups& unused)
      : app_(app), completions_(completions), unused_(unused), function_(function_name(app.get_name())) {}

  std::string write() {
    std::string out = fmt::format("# bash completion of {}\n", app_.get_name());
    if (!completions_.names.empty()) out += fmt::format(kNamesFunction, fmt::arg("function", function_));
    out += function_ + "() {\n";
    if (!completions_.programs.empty()) {
      out += fmt::format(kPrograms, fmt::arg("function", function_),
                         fmt::arg("programs", join(completions_.programs, " | ")));
    }
    out += fmt::format(kBegin);
    collect(app_, "");
    out += fmt::format("      =) ;;\n      {}) option=$word ;;\n      -*) option='' ;;\n", join(valued_, " | "));
    out += "      *)\n        if [[ -n $option ]]; then\n";
    out += fmt::format("          case $option in {}) ;; *) option='' ;; esac\n",
                       many_.empty() ? "''" : join(many_, " | "));
    out += "        else\n          case $path/$word in\n";
    if (!paths_.empty()) out += fmt::format("            {}) path+=/$word ;;\n", join(paths_, " | "));
    out += "            *) ;;\n          esac\n        fi ;;\n    esac\n  done\n";
    out +=
        "  if [[ $current == --*=* ]]; then option=${current%%=*} joined=${current%%=*}= current=${current#*=}; fi\n";
    out += "  if [[ -n $option && $current != -* ]]; then\n    head=''\n    case $path$option in\n" + values_;
    out +=
        "      *) ;;\n    esac\n    [[ -n $list ]] || { COMPREPLY=(); return; }\n  else\n    case $path in\n" + words_;
    out += "      *) ;;\n    esac\n  fi\n";
    return out + fmt::format(kEnd, fmt::arg("function", function_), fmt::arg("name", app_.get_name()));
  }

 private:
  // Subcommands come first: if both have an option of the same name, that of the subcommand counts.
  void collect(const CLI::App& app, const std::string& path) {
    for (const CLI::App* sub : visible_subcommands(app)) {
      const std::string below = path + "/" + sub->get_name();
      paths_.push_back(below);
      collect(*sub, below);
    }
    add_values(app, path);
    std::vector<std::string> words;
    for (const CLI::App* sub : visible_subcommands(app)) words.push_back(sub->get_name());
    const auto more = completions_.arguments.find(path_of(app));
    if (more != completions_.arguments.end()) words.insert(words.end(), more->second.begin(), more->second.end());
    for (const std::string& name : dashed(visible_options(app))) words.push_back(name);
    for (const std::string& name : dashed(inherited_options(app, unused_))) words.push_back(name);
    words_ +=
        fmt::format("      {}) list={}{} ;;\n", path.empty() ? "''" : path, argument_names(app), bash_list(words));
  }

  void add_values(const CLI::App& app, const std::string& path) {
    for (const CLI::Option* option : visible_options(app)) {
      if (!option->nonpositional() || option->get_type_size() == 0) continue;
      for (const std::string& name : option->get_lnames()) {
        const std::string dashes = "--" + name;
        if (takes_value(*option)) insert(valued_, dashes);
        if (takes_many(*option)) insert(many_, dashes);
        const std::string list = list_of(*option, name);
        if (!list.empty()) values_ += fmt::format("      {}{}) list={} ;;\n", path.empty() ? "*" : path, dashes, list);
      }
    }
  }

  std::string list_of(const CLI::Option& option, const std::string& name) const {
    if (const auto kind = completions_.names.find(name); kind != completions_.names.end()) {
      return fmt::format("$({}_names \"${{COMP_WORDS[0]}}\" {})", function_, kind->second);
    }
    if (const auto words = completions_.values.find(name); words != completions_.values.end()) {
      return bash_list(words->second);
    }
    const auto choices = choices_of(option);
    return choices.empty() ? "" : bash_list(choices);
  }

  // Completes an argument that is a name.
  std::string argument_names(const CLI::App& app) const {
    for (const CLI::Option* option : visible_options(app)) {
      const auto kind = completions_.names.find(value_text(*option));
      if (option->nonpositional() || kind == completions_.names.end()) continue;
      return fmt::format("$({}_names \"${{COMP_WORDS[0]}}\" {})$'\\n'", function_, kind->second);
    }
    return "";
  }

  static void insert(std::vector<std::string>& list, const std::string& word) {
    if (std::ranges::find(list, word) == list.end()) list.push_back(word);
  }

  const CLI::App& app_;
  const Completions& completions_;
  const UnusedGroups& unused_;
  std::string function_;
  std::vector<std::string> valued_;
  std::vector<std::string> many_;
  std::vector<std::string> paths_;
  std::string values_;  // cases of $path$option
  std::string words_;   // cases of $path
};

std::string fish_quote(std::string_view text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' || c == '\\' ? std::string("\\") + c : std::string(1, c);
  return out + "'";
}

}  // namespace

std::vector<const CLI::App*> visible_subcommands(const CLI::App& app) {
  std::vector<const CLI::App*> visible;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_name().empty() && !sub->get_group().empty()) visible.push_back(sub);
  }
  return visible;
}

std::vector<const CLI::Option*> visible_options(const CLI::App& app) {
  std::vector<const CLI::Option*> visible;
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_group().empty()) visible.push_back(option);
  }
  return visible;
}

std::string bash_completion(const CLI::App& app, const Completions& completions, const UnusedGroups& unused) {
  return BashWriter(app, completions, unused).write();
}

std::string zsh_completion(const CLI::App& app, const Completions& completions, const UnusedGroups& unused) {
  return fmt::format("#compdef {}\nautoload -U +X bashcompinit && bashcompinit\n{}", app.get_name(),
                     bash_completion(app, completions, unused));
}

std::string fish_completion(const CLI::App& app, const Completions& completions) {
  const std::string& name = app.get_name();
  std::string out = fmt::format("# fish completion of {}\n", name);
  const auto add_options = [&](const CLI::App& of, const std::string& condition) {
    for (const CLI::Option* option : visible_options(of)) {
      const auto choices = choices_of(*option);
      const std::string values = choices.empty() ? "" : fmt::format(" -f -a {}", fish_quote(join(choices, " ")));
      for (const std::string& long_name : option->get_lnames()) {
        out += fmt::format("complete -c {}{} -l {}{}{} -d {}\n", name, condition, long_name,
                           option->get_type_size() == 0 ? "" : " -r", values, fish_quote(option->get_description()));
      }
    }
  };
  add_options(app, "");
  for (const CLI::App* sub : visible_subcommands(app)) {
    out += fmt::format("complete -c {} -n __fish_use_subcommand -a {} -d {}\n", name, sub->get_name(),
                       fish_quote(sub->get_description()));
    const std::string condition = fmt::format(" -n '__fish_seen_subcommand_from {}'", sub->get_name());
    add_options(*sub, condition);
    for (const CLI::App* below : visible_subcommands(*sub)) {
      out += fmt::format("complete -c {}{} -f -a {} -d {}\n", name, condition, below->get_name(),
                         fish_quote(below->get_description()));
      add_options(*below, condition);
    }
    for (const auto& [path, words] : completions.arguments) {
      if (path != sub->get_name() && !path.starts_with(sub->get_name() + " ")) continue;
      out += fmt::format("complete -c {}{} -f -a {}\n", name, condition, fish_quote(join(words, " ")));
    }
  }
  return out;
}

}  // namespace monitor
