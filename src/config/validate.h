// Validates a merged document and fills in Settings. Reports every error with its place.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/document.h"
#include "config/settings.h"

namespace monitor::config {

// An error in a document, or a warning about something that is allowed but unwise.
struct Problem {
  std::string path;  // JSON pointer, "" for the whole document
  std::string key;   // key of the layer; empty: no layer
  int line = 0;      // line in that layer; 0: unknown
  std::string message;
  std::string got;    // as JSON, shortened
  std::string known;  // the nearest known name, if any
  bool warning = false;
  // Not an error yet: a resource is being prepared, and validation must run again when it is ready.
  bool pending = false;

  // "/metrics/2, line 5: unknown metric "cpuu"; did you mean "cpu"?"
  std::string to_string() const;
};

// What a plugin name resolves to.
struct PluginCode {
  PluginKind kind = PluginKind::kBuiltin;
  std::string code = {};  // as PluginEntry::code
  std::string version = {};
};

// PluginCatalog: the known plugins. Declared here because validation uses it; the agent's plugin registry implements
// it.
class PluginCatalog {
 public:
  virtual ~PluginCatalog() = default;
  virtual std::vector<std::string> plugin_names() const = 0;
  // Checks whether the plugin accepts this configuration (a JSON object as text). The problem's `path` is relative to
  // the configuration.
  virtual std::optional<Problem> check_plugin(const std::string& name, const std::string& config) const = 0;
  // Resolves a known name. Errors: the name is ambiguous, or its file cannot be read.
  virtual Result<PluginCode> code_of(const std::string& name) const {
    (void)name;
    return PluginCode{};
  }
  // Whether "agent.plugins.<module>.<Class>" means a class in a Python file. Otherwise it means the plugin <module>.
  virtual bool is_python_class(const std::string& name) const {
    (void)name;
    return false;
  }
  // Decides about an unknown name: returns a warning if the plugin may exist where the document is applied, or nothing
  // to reject the name.
  virtual std::optional<std::string> elsewhere(const std::string& name) const {
    (void)name;
    return std::nullopt;
  }
};

struct Validated {
  Settings settings;
  std::vector<Problem> problems;  // errors first

  bool ok() const { return problems.empty() || problems.front().warning; }
};

// Merges the layers, lowest first, and validates the result. Without layers, the result is the defaults.
Validated validate(const std::vector<Layer>& layers, const PluginCatalog& plugins);

// The groups in an agent's own document; empty if they are malformed, which validation reports.
std::vector<std::string> groups_of(const nlohmann::json& own_document);

// A value as JSON, truncated to fit into a line.
std::string shortened(const nlohmann::json& value);

// The short name of a plugin: <module> for "agent.plugins.<module>.<Class>", else the name itself. A class in a Python
// file has no short name (PluginCatalog::is_python_class).
std::string plugin_short_name(std::string_view name);

}  // namespace monitor::config
