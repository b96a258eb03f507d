#include "bin/common/manual.h"

#include <fmt/format.h>

namespace monitor {

namespace {

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
  // A line of text must not start with a control character of roff.
  if (!out.empty() && (out[0] == '.' || out[0] == '\'')) out.insert(0, "\\&");
  return out;
}

void man_options(const CLI::App& app, std::string& out) {
  for (const CLI::Option* option : visible_options(app)) {
    const std::string value = value_text(*option);
    const std::string name = option->nonpositional() ? option->get_name(false, true) : value;
    const std::string shown = value.empty() || !option->nonpositional() ? name : name + " " + value;
    out += fmt::format(".TP\n.B {}\n{}", roff(shown), roff(option->get_description()));
    if (!option->get_default_str().empty()) out += fmt::format(" (default: {})", roff(option->get_default_str()));
    if (!option->get_envname().empty()) out += fmt::format(" [environment: {}]", roff(option->get_envname()));
    out += "\n";
  }
}

void man_subcommands(const CLI::App& app, std::string& out) {
  for (const CLI::App* sub : visible_subcommands(app)) {
    out += fmt::format(".SH {}\n{}\n", roff(path_of(*sub)), roff(sub->get_description()));
    man_options(*sub, out);
    man_subcommands(*sub, out);
  }
}

std::string man_page(const CLI::App& app, const ManualText& text) {
  const std::string name = roff(app.get_name());
  std::string out = fmt::format(".TH {} 1 \"\" \"monitor {}\" \"Monitoring Tool\"\n", name, text.version);
  out += fmt::format(".SH NAME\n{} \\- {}\n", name, roff(text.description));
  out +=
      fmt::format(".SH SYNOPSIS\n.B {}\n[OPTIONS]{}\n", name, visible_subcommands(app).empty() ? "" : " [SUBCOMMAND]");
  out += ".SH OPTIONS\n";
  man_options(app, out);
  man_subcommands(app, out);
  if (!text.examples.empty()) out += ".SH EXAMPLES\n.nf\n" + roff(text.examples) + ".fi\n";
  out +=
      ".SH EXIT STATUS\n0 success, 1 a negative answer, 64 usage, 69 service or port not available, 70 internal error, "
      "74 I/O, 75 conflict or time\\-out, 78 configuration.\n";
  return out;
}

}  // namespace

Result<std::string> generate_manual(const std::string& what, const CLI::App& app, const ManualText& text,
                                    const Completions& completions, const UnusedGroups& unused) {
  if (what == "man") return man_page(app, text);
  if (what == "bash") return bash_completion(app, completions, unused);
  if (what == "zsh") return zsh_completion(app, completions, unused);
  if (what == "fish") return fish_completion(app, completions);
  return Error(Code::kInvalidArgument, fmt::format("got \"{}\", known: man, bash, zsh, fish", what));
}

}  // namespace monitor
