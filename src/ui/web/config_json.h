// What the files of ConfigService share: keys that it takes, and the JSON of its replies. Internal.
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>

#include "base/result.h"
#include "config/edit.h"
#include "config/validate.h"
#include "ui/web/http.h"

namespace monitor::analysis::web {

// Also escapes DEL, C1 and bidirectional marks, which nlohmann::json leaves unescaped: they could control a terminal.
std::string dump_json(const nlohmann::ordered_json& json);

// How the document under `key` may be edited here; nullopt if it is not editable.
std::optional<config::Edited> edited_as(const std::string& key);

// "defaults", "group", "agent" or "override"; "other" for status, inventory, scripts and unknown keys, which are not
// shown as documents.
std::string kind_of_document(const std::string& key);

Reply no_such_key(const std::string& key);

nlohmann::ordered_json problem_json(const config::Problem& problem);

// The field "message" of a request: why a change is made; empty if it is absent. kInvalidArgument: not a text that can
// be recorded.
Result<std::string> message_of(const nlohmann::json& request);

// A document by itself, as a layer.
struct Checked {
  bool valid = false;
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
};
Checked check_document(const std::string& text, config::Edited what, const config::PluginCatalog& plugins);

}  // namespace monitor::analysis::web
