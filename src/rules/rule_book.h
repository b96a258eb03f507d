// RuleBook: the rule files of all origins, and which version of each is in force.
//
// A file is applied whole or not at all: one that is not valid leaves its previous version in force, until it is valid
// or gone. Pure; not thread-safe.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/rule_file.h"

namespace monitor::rules {

// What an origin has: the texts of its files by name. An error: the file exists, but cannot be read.
using RuleTexts = std::map<std::string, Result<std::string>>;

class RuleBook {
 public:
  struct File {
    std::string origin;
    std::string text;  // the version in force
    std::vector<Group> groups;
    std::string fault;         // why the newest version is not in force; empty: it is
    bool valid = false;        // a version is in force
    std::string refused = {};  // the text with the fault
  };
  struct Change {
    bool groups = false;               // other rules are in force
    std::vector<std::string> applied;  // names of files with a new version in force
    std::vector<std::string> removed;
    std::vector<std::string> refused;  // files whose fault is new
    bool any() const { return groups || !applied.empty() || !removed.empty() || !refused.empty(); }
  };

  // Takes a version that was in force in an earlier process. Ignores one that is not valid any more.
  void restore(const std::string& origin, const std::string& name, const std::string& text);
  // Takes everything that the origin has now. Names must differ from those of other origins.
  Change take(const std::string& origin, const RuleTexts& texts);

  const std::map<std::string, File>& files() const { return files_; }
  // Of all files in force, in the order of their names.
  std::vector<Group> groups() const;
  size_t refused() const;

 private:
  void take_one(const std::string& origin, const std::string& name, const Result<std::string>& text, Change& change);

  std::map<std::string, File> files_;
};

}  // namespace monitor::rules
