#include "bin/plugin/new_project.h"

#include <fmt/format.h>

#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>

#include "base/text.h"
#include "plugins/builtin/registry.h"

namespace monitor {

// The files of sdk/template/, embedded at build time.
std::string_view template_cmake();
std::string_view template_plugin();
std::string_view template_test();
std::string_view template_readme();

namespace {

std::string class_of(std::string_view name) {
  std::string out;
  bool upper = true;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0) {
      upper = true;
      continue;
    }
    if (out.empty() && std::isdigit(static_cast<unsigned char>(c)) != 0) out += "Plugin";
    out += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = false;
  }
  return out.empty() ? "MyPlugin" : out;
}

std::string filled(std::string text, std::string_view name, std::string_view prefix) {
  const std::string made = class_of(name);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"template_name", name},
                                 {"TemplateClass", made},
                                 {"template_prefix", prefix}}) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

}  // namespace

Status write_project(const std::string& name, const std::string& folder, const std::string& prefix) {
  if (!valid_name(name) || name.starts_with('.') || name.starts_with('-')) {
    return Error(Code::kInvalidArgument,
                 fmt::format("a plugin's name is 1 to 128 of [A-Za-z0-9._-], and begins with neither . nor -; got {}",
                             json_quote(name)));
  }
  if (agent::is_builtin(name)) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{} is a built-in plugin, and ambiguous names are rejected; choose another", name));
  }
  std::error_code error;
  if (std::filesystem::exists(folder, error) && !std::filesystem::is_empty(folder, error)) {
    return Error(Code::kAlreadyExists, fmt::format("{} already exists; choose another folder with --dir", folder));
  }
  std::filesystem::create_directories(folder, error);
  if (error) return errno_error(error.value(), folder);
  const std::array<std::pair<std::string, std::string_view>, 4> files = {{{"CMakeLists.txt", template_cmake()},
                                                                          {"plugin.cc", template_plugin()},
                                                                          {"plugin_test.cc", template_test()},
                                                                          {"README.md", template_readme()}}};
  for (const auto& [file, text] : files) {
    const std::string path = fmt::format("{}/{}", folder, file);
    std::ofstream out(path);
    out << filled(std::string(text), name, prefix);
    if (!out.flush()) return Error(Code::kDataLoss, "cannot write " + path);
  }
  return {};
}

}  // namespace monitor
