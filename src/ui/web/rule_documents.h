// RuleDocuments: the files of rules as the page shows and stores them. Files that `serve --rules` names are only shown;
// those in the configuration (/monitor/rules/NAME) can be created, replaced and deleted, if nobody has changed them
// meanwhile. Calls block, and must all be made on the thread of the ConfigService.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "rules/rule_status.h"
#include "ui/web/config_service.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

class RuleDocuments {
 public:
  // The service must outlive it.
  explicit RuleDocuments(ConfigService& config) : config_(config) {}

  // Files in force and stored ones, without their texts.
  Reply list(const rules::RuleFileList& in_force);
  // One of them with its text: `file` is its name in list().
  Reply read(const std::string& file, const rules::RuleFileList& in_force);
  // ConfigService::change() for /monitor/rules/`name`. A file with faults is not stored.
  Reply change(const std::string& name, const std::string& body, const ChangedBy& by);

 private:
  struct File {
    std::string document;  // its name in the configuration; empty: it is not there
    std::string tag;
    std::string place;  // where it is, for people
    std::string text;
    std::string fault;
    size_t rules = 0;
    bool in_force = false;
  };
  using Files = std::map<std::string, File>;
  // `trouble`: why the configuration cannot be read; empty: it can.
  Files files(const rules::RuleFileList& in_force, std::string& trouble);

  ConfigService& config_;
};

}  // namespace monitor::analysis::web
