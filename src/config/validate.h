// From a merged document to Settings: every value is checked, and every fault is reported with its place.
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

// One fault of a document, or something that is allowed but unwise (a warning).
struct Problem {
  std::string path;  // JSON pointer, "" for the whole document
  std::string key;   // the layer it stands in; empty: no layer
  int line = 0;      // in that layer; 0: not known
  std::string message;
  std::string got;    // as JSON, shortened
  std::string known;  // the nearest known name, if there is one
  bool warning = false;
  // Nothing is wrong so far: what was asked for is being prepared, and is to be asked for again when it is.
  bool pending = false;

  // "/metrics/2, line 5: unknown metric "cpuu"; did you mean "cpu"?"
  std::string to_string() const;
};

// What stands behind a plugin's name.
struct PluginCode {
  PluginKind kind = PluginKind::kBuiltin;
  std::string code = {};  // as PluginEntry has them
  std::string version = {};
};

// What plugins there are. Declared here because validation asks; the agent's plugin registry answers.
class PluginCatalog {
 public:
  virtual ~PluginCatalog() = default;
  virtual std::vector<std::string> plugin_names() const = 0;
  // Whether a plugin would start with this configuration (a JSON object as text); `path` of the problem is relative.
  virtual std::optional<Problem> check_plugin(const std::string& name, const std::string& config) const = 0;
  // Of a name that there is. Error: the name stands for two things, or its file cannot be read.
  virtual Result<PluginCode> code_of(const std::string& name) const {
    (void)name;
    return PluginCode{};
  }
  // Of a name that is not known here, but may well be where the plugin is to run: it is let pass, with this warning.
  // Nothing: there is none of that name.
  virtual std::optional<std::string> elsewhere(const std::string& name) const {
    (void)name;
    return std::nullopt;
  }
};

struct Validated {
  Settings settings;
  std::vector<Problem> problems;  // faults first

  bool ok() const { return problems.empty() || problems.front().warning; }
};

// The merge of the layers, lowest first; none at all gives the defaults.
Validated validate(const std::vector<Layer>& layers, const PluginCatalog& plugins);

// The groups that an agent's own document names; none when they cannot be read, which validation reports.
std::vector<std::string> groups_of(const nlohmann::json& own_document);

// A value as JSON, cut to what fits into a line.
std::string shortened(const nlohmann::json& value);

// The short name of a plugin: <module> for "agent.plugins.<module>.<Class>", else the name itself.
std::string plugin_short_name(std::string_view name);

}  // namespace monitor::config
