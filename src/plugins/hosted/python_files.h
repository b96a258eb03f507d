// The Python files of a plugin folder: which classes `<folder>/agent/plugins/<module>.py` defines, and which of the
// folder's other files a change of which concerns them. The agent only reads lines; the plugin host parses the
// language. Pure functions, but for find_python_files.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::agent {

// Where the Python version had its plugins: in the folder, and in names.
inline constexpr std::string_view kPythonFolder = "/agent/plugins";
inline constexpr std::string_view kPythonPrefix = "agent.plugins.";

struct PythonText {
  std::vector<std::string> classes;  // of the top level, in order, without BasePlugin
  std::set<std::string> imported;    // identifiers in import statements
};
// Looks at lines only: a line within a text or a comment may count as well.
PythonText read_python(std::string_view source);

// "agent.plugins.my_plugin" of "agent.plugins.my_plugin.MyPlugin"; empty: it is not such a name.
std::string python_module_of(std::string_view name);

struct PythonFile {
  std::string path;
  std::string module;  // "agent.plugins.my_plugin"
  std::vector<std::string> classes;
  std::string version;  // changes with the content, and with that of the folder's files that it imports
  std::string fault;    // why it cannot be read; empty: it can
};
// `version_of` describes a file so that the text changes with its content. At most 1,000 files are looked at.
std::vector<PythonFile> find_python_files(const std::string& folder,
                                          const std::function<std::string(const std::string& path)>& version_of);

}  // namespace monitor::agent
