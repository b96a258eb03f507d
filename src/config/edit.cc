#include "config/edit.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/document.h"
#include "config/foreign_json.h"
#include "config/schema.h"

namespace monitor::config {

using nlohmann::ordered_json;

// Some texts parse as a number but are not JSON numbers: nan, 005.
std::string duration_json(std::string_view text) {
  return parse_double(text) && ordered_json::accept(text) ? std::string(text) : json_quote(text);
}

Result<std::string> words_json(const std::vector<std::string>& words) {
  ordered_json list = ordered_json::array();
  for (const std::string& word : words) {
    if (!word.starts_with("{")) {
      list.push_back(word);
      continue;
    }
    // Applies the same limits as to a document: depth, duplicate keys.
    if (const auto checked = Document::parse(word); !checked) {
      return Error(Code::kInvalidArgument,
                   fmt::format("{}: {}", json_quote(word.substr(0, 200)), checked.error().message()));
    }
    list.push_back(ordered_json::parse(word));
  }
  return list.dump();
}

Result<FieldChange> parse_field(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error(Code::kInvalidArgument, fmt::format("got {}, expected FIELD=VALUE", json_quote(text)));
  }
  const std::string name(text.substr(0, equals));
  const std::string_view value = text.substr(equals + 1);
  if (!ordered_json::accept(value)) return FieldChange{name, json_quote(value)};
  if (const auto checked = Document::parse(fmt::format(R"({{"value":{}}})", value)); !checked) {
    return Error(Code::kInvalidArgument, fmt::format("{}: {}", json_quote(name), checked.error().message()));
  }
  return FieldChange{name, std::string(value)};
}

Result<std::string> edit_document(const std::optional<std::string>& current, const std::vector<FieldChange>& changes,
                                  bool full, Edited what, const PluginCatalog& plugins) {
  const std::string base = current ? *current : full ? default_document() : std::string("{}");
  if (current) {
    const auto readable = Document::parse(base);
    if (!readable) return readable.error().with_context("the current document");
  }
  ordered_json document = ordered_json::parse(base);
  if (!document.is_object()) return Error(Code::kInvalidArgument, "the current document is not an object");
  for (const FieldChange& change : changes) document[change.name] = ordered_json::parse(change.json);
  std::string text = document.dump(4, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  auto parsed = Document::parse(text);
  if (!parsed) return parsed.error();
  const Validated validated = validate({{"", 0, std::move(*parsed), what == Edited::kOwn}}, plugins);
  if (validated.ok()) return text;
  std::vector<std::string> lines;
  for (Problem problem : validated.problems) {
    if (problem.warning) continue;
    problem.line = 0;  // the line refers to a text that the user has not seen
    lines.push_back(problem.to_string());
  }
  return Error(Code::kInvalidArgument, join(lines, "\n"));
}

namespace {

// A field of a document as JSON text; "absent" if it is missing or the document cannot be read.
std::string field_of(const std::optional<std::string>& text, const std::string& name) {
  const auto document = text ? parse_foreign<ordered_json>(*text) : ordered_json();
  if (!document.is_object() || !document.contains(name)) return "absent";
  return document[name].dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::string compact(const std::string& json) { return ordered_json::parse(json).dump(); }

}  // namespace

Status check_unchanged(const std::optional<std::string>& base, const std::optional<std::string>& now,
                       const std::vector<FieldChange>& changes) {
  std::vector<std::string> conflicts;
  for (const FieldChange& change : changes) {
    const std::string was = field_of(base, change.name);
    const std::string is = field_of(now, change.name);
    const std::string wanted = compact(change.json);
    if (was == is || is == wanted) continue;
    conflicts.push_back(
        fmt::format("{} was {}, someone else changed it to {}, wanted {}", change.name, was, is, wanted));
  }
  if (conflicts.empty()) return {};
  return Error(Code::kAborted, join(conflicts, "; "));
}

std::string describe_changes(const std::optional<std::string>& now, const std::vector<FieldChange>& changes) {
  std::vector<std::string> lines;
  lines.reserve(changes.size());
  for (const FieldChange& change : changes) {
    lines.push_back(fmt::format("{} is {}, wanted {}", change.name, field_of(now, change.name), compact(change.json)));
  }
  return join(lines, "; ");
}

}  // namespace monitor::config
