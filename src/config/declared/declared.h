// The documents that a folder or a bundle declares, for configuration in version control.
//
// A folder has the layout of a configuration in files: defaults.json, groups/<group>.json, config/<agent-id>.json. A
// bundle is one JSON object: {"defaults": {...}, "groups": {"<group>": {...}}, "config": {"<agent-id>": {...}}}. Both
// come from outside. Links are followed only within the folder.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/disk.h"
#include "base/result.h"

namespace monitor::config {

inline constexpr size_t kMostDeclared = 100'000;
inline constexpr size_t kMostBundleBytes = size_t{256} * 1024 * 1024;

struct Declared {
  std::map<std::string, std::string> documents;  // key -> text
  std::map<std::string, std::string> places;     // key -> its file, for messages
  // Everything that is wrong: files that cannot be read, in a wrong place, or with a wrong name. If there are any, the
  // documents are incomplete.
  std::vector<std::string> faults;
};

// kNotFound, kPermissionDenied: the folder itself cannot be read. Folders that hold other parts of a configuration
// (status, rules, history, ...), hidden ones, and files that do not end in .json are skipped.
Result<Declared> read_declared_folder(Disk& disk, const std::string& folder);

// kInvalidArgument: the text is no bundle; says how to apply a single document.
Result<Declared> parse_bundle(std::string_view text, const std::string& name);

// The key of a file by its path: ".../groups/web.json", "defaults.json". Empty: the path does not say it.
std::string key_of_path(const std::string& path);
// The opposite: "groups/web.json". `key` is that of defaults, a group or an agent.
std::string declared_path(const std::string& key);

// A bundle of documents, indented. Documents that are not JSON are left out; `left_out` gets their keys.
std::string bundle_of(const std::map<std::string, std::string>& documents, std::vector<std::string>& left_out);

}  // namespace monitor::config
