// RuleFolder: the rule files that an operator names: files, and folders whose *.yml and *.yaml files count. They are
// looked at from time to time; what is being written is left alone until it has not changed between two looks.
//
// Not thread-safe. Reads block.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/result.h"
#include "rules/rule_book.h"

namespace monitor::rules {

// The paths of the rule files in a folder, sorted. kResourceExhausted: there are more than 1,000. Other errors: the
// folder cannot be read.
Result<std::vector<std::string>> list_rule_files(const std::string& folder);

class RuleFolder {
 public:
  // The disk must outlive it.
  RuleFolder(Disk& disk, std::vector<std::string> paths) : disk_(disk), paths_(std::move(paths)) {}

  // What is there, if it differs from the last time; nothing if it does not, or is still being written. A file that is
  // named itself and does not exist is an error in its place. The first call always gives something.
  std::optional<RuleTexts> look();
  // Why the last look() could not see everything; empty: it could. Nothing is taken for removed then.
  const std::string& trouble() const { return trouble_; }

 private:
  // Changes whenever the file does.
  struct Mark {
    uint64_t device = 0;
    uint64_t inode = 0;
    int64_t size = -1;
    int64_t changed_ns = 0;
    bool operator==(const Mark&) const = default;
  };
  using Marks = std::map<std::string, Mark>;  // by path
  static Mark mark_of(const std::string& path);
  Result<Marks> marks();
  RuleTexts read(const Marks& marks) const;

  Disk& disk_;
  const std::vector<std::string> paths_;
  std::set<std::string> folders_;  // of the paths
  std::string trouble_;
  std::optional<Marks> seen_;  // by the last look
  std::optional<Marks> read_;
};

}  // namespace monitor::rules
