// Reads files of rules from paths, folders and patterns.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "rules/rule_file.h"

namespace monitor {

struct LoadedRules {
  std::string path;
  std::string text;
  rules::RuleFile rules;
};

// At most as much as a file of rules may have. Errors name the path.
Result<std::string> read_rule_text(const std::string& path);

// Of a folder, its *.yaml and *.yml, in the order of their names. Errors: a path cannot be read, or is a
// pattern or folder without any file.
Result<std::vector<LoadedRules>> load_rule_paths(const std::vector<std::string>& paths);

// Shell patterns, relative to the folder of `beside`. A pattern that matches nothing gives nothing, as in promtool.
Result<std::vector<LoadedRules>> load_rule_patterns(const std::vector<std::string>& patterns,
                                                    const std::string& beside);

}  // namespace monitor
