// Changing a document by field: what `monitor-config` writes.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "config/validate.h"

namespace monitor::config {

// A field and its new value as JSON text.
struct FieldChange {
  std::string name;
  std::string json;
};

// `5` and `0.1` become numbers, "250ms" a text; checked by validation, not here.
std::string duration_json(std::string_view text);
// A list of names; a word that is a JSON object stands for itself.
Result<std::string> words_json(const std::vector<std::string>& words);
// "name=value" of the command line: value is JSON, or else a text.
Result<FieldChange> parse_field(std::string_view text);

// What is edited: an agent's own document, which alone may name groups, or another layer.
enum class Edited { kOwn, kShared };

// The new document, indented, valid as a layer of its own. With no current one it starts from all defaults if `full`,
// else from nothing. Errors: kInvalidArgument with what validation says.
Result<std::string> edit_document(const std::optional<std::string>& current, const std::vector<FieldChange>& changes,
                                  bool full, Edited what, const PluginCatalog& plugins);

// Whether another author changed a field that is to be set, after `base` was read: kAborted, which says what the field
// was, is and should be. A field that has come to what is wanted is no conflict.
Status check_unchanged(const std::optional<std::string>& base, const std::optional<std::string>& now,
                       const std::vector<FieldChange>& changes);
// What the fields are, and should be, for people: `interval is 7, wanted 10`.
std::string describe_changes(const std::optional<std::string>& now, const std::vector<FieldChange>& changes);

}  // namespace monitor::config
