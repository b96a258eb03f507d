// Edits documents field by field, for `monitor-config`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/validate.h"

namespace monitor::config {

// A field and its new value as JSON text, or entries to add to or remove from its list.
struct FieldChange {
  enum class Kind { kSet, kAdd, kRemove };

  std::string name;
  std::string json;  // unless kSet: a list of entries
  Kind kind = Kind::kSet;
};

// `5` and `0.1` become numbers, "250ms" a string. Validation checks the value later.
std::string duration_json(std::string_view text);
// Returns a JSON list of names; a word that is a JSON object is inserted unchanged.
Result<std::string> words_json(const std::vector<std::string>& words);
// Parses "name=value" from the command line; a value that is not JSON is a string. "name+=entry" and "name-=entry" add
// to and remove from a list; a list of entries is possible as well.
Result<FieldChange> parse_field(std::string_view text);

// The kind of the edited document: an agent's own, which may list groups, or a shared layer.
enum class Edited { kOwn, kShared };

// Returns the new document, indented, and valid as a layer by itself. Without a current document, starts from all
// defaults if `full`, else from an empty document. Errors: kInvalidArgument with the result of validation.
//
// `below` is the JSON of what lower layers set. A list that the document does not have begins with the one below, or
// else with the built-in default, since the document's list replaces them. An entry is identified by its name: adding
// an object replaces an entry of that name, and adding a name leaves such an entry as it is.
Result<std::string> edit_document(const std::optional<std::string>& current, const std::vector<FieldChange>& changes,
                                  bool full, Edited what, const PluginCatalog& plugins,
                                  const std::string& below = "{}");

// Detects a concurrent change to a field of `changes` since `base` was read. Returns kAborted with the old, the current
// and the wanted value. A field that already has the wanted value is not a conflict, and neither are entries to add or
// remove: they are applied to the current list.
Status check_unchanged(const std::optional<std::string>& base, const std::optional<std::string>& now,
                       const std::vector<FieldChange>& changes);
// Current and wanted values as text: `interval is 7, wanted 10`.
std::string describe_changes(const std::optional<std::string>& now, const std::vector<FieldChange>& changes);

}  // namespace monitor::config
