#include "bin/plugin/new_project.h"

#include <fmt/format.h>

#include <cctype>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>

#include "base/text.h"
#include "plugins/builtin/registry.h"

namespace monitor {

// The files below sdk/template/, embedded at build time.
std::string_view template_cmake();
std::string_view template_plugin();
std::string_view template_test();
std::string_view template_readme();
std::string_view template_python_plugin();
std::string_view template_python_test();
std::string_view template_python_readme();
std::string_view template_lua_plugin();
std::string_view template_lua_readme();

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

// The name of a Python module: an identifier.
std::string module_of(std::string_view name) {
  std::string out;
  for (const char c : name) out += std::isalnum(static_cast<unsigned char>(c)) == 0 ? '_' : c;
  return std::isdigit(static_cast<unsigned char>(out.front())) == 0 ? out : "plugin_" + out;
}

std::string filled(std::string text, const NewProject& project) {
  const std::string made = class_of(project.name);
  const std::string module = module_of(project.name);
  for (const auto& [from, to] : {std::pair<std::string_view, std::string_view>{"template_name", project.name},
                                 {"TemplateClass", made},
                                 {"template_module", module},
                                 {"template_python", project.python},
                                 {"template_prefix", project.prefix}}) {
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  }
  return text;
}

using File = std::pair<std::string, std::string_view>;

std::vector<File> files_of(const NewProject& project) {
  switch (project.language) {
    case Language::kPython: {
      const std::string module = module_of(project.name);
      return {{"agent/plugins/" + module + ".py", template_python_plugin()},
              {module + "_test.py", template_python_test()},
              {"README.md", template_python_readme()}};
    }
    case Language::kLua:
      return {{project.name + ".lua", template_lua_plugin()}, {"README.md", template_lua_readme()}};
    case Language::kCpp:
      break;
  }
  return {{"CMakeLists.txt", template_cmake()},
          {"plugin.cc", template_plugin()},
          {"plugin_test.cc", template_test()},
          {"README.md", template_readme()}};
}

Status check_name(const std::string& name) {
  if (!valid_name(name) || name.starts_with('.') || name.starts_with('-')) {
    return Error(Code::kInvalidArgument,
                 fmt::format("a plugin's name is 1 to 128 of [A-Za-z0-9._-], and begins with neither . nor -; got {}",
                             json_quote(name)));
  }
  if (agent::is_builtin(name)) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{} is a built-in plugin, and ambiguous names are rejected; choose another", name));
  }
  return {};
}

}  // namespace

std::string python_name(const std::string& name) {
  return fmt::format("agent.plugins.{}.{}", module_of(name), class_of(name));
}

Result<std::vector<std::string>> write_project(const NewProject& project) {
  if (const Status good = check_name(project.name); !good) return good.error();
  std::error_code error;
  if (std::filesystem::exists(project.folder, error) && !std::filesystem::is_empty(project.folder, error)) {
    return Error(Code::kAlreadyExists,
                 fmt::format("{} already exists; choose another folder with --dir", project.folder));
  }
  std::vector<std::string> written;
  for (const auto& [file, text] : files_of(project)) {
    const std::filesystem::path path = fmt::format("{}/{}", project.folder, file);
    std::filesystem::create_directories(path.parent_path(), error);
    if (error) return errno_error(error.value(), path.parent_path().string());
    std::ofstream out(path);
    out << filled(std::string(text), project);
    if (!out.flush()) return Error(Code::kDataLoss, "cannot write " + path.string());
    written.push_back(file);
  }
  return written;
}

}  // namespace monitor
