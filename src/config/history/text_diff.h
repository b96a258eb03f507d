// The difference of two texts, line by line, and of two JSON values. Pure functions.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace monitor::config {

// A document as the difference shows it: indented, if it is JSON; nothing is an empty text.
std::string shown_text(const std::optional<std::string>& document);

// In the unified format, with three lines of context, without the header; empty if the texts are equal. Texts that have
// almost nothing in common are shown as one replacement.
std::string unified_diff(std::string_view before, std::string_view after);

// Two documents: their difference as shown_text(). Empty if they are equal as JSON (or as text, if one is not JSON).
std::string document_diff(const std::optional<std::string>& before, const std::optional<std::string>& after);
// True if both exist and are equal as JSON, or both do not exist.
bool same_document(const std::optional<std::string>& a, const std::optional<std::string>& b);

// Values that differ, by JSON pointer, in order. Lists are compared as a whole.
struct ValueChange {
  std::string pointer;
  std::string before;  // JSON; empty: absent
  std::string after;
};
std::vector<ValueChange> value_changes(const nlohmann::json& before, const nlohmann::json& after);
// The same for documents; what is not a JSON object has no values.
std::vector<ValueChange> document_changes(const std::optional<std::string>& before,
                                          const std::optional<std::string>& after);

}  // namespace monitor::config
