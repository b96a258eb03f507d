#include "config/edit.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <initializer_list>
#include <utility>

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
  const std::string_view before = text.substr(0, equals == std::string_view::npos ? 0 : equals);
  if (before.empty() || before == "+" || before == "-") {
    return Error(Code::kInvalidArgument,
                 fmt::format("got {}, expected FIELD=VALUE, FIELD+=ENTRY or FIELD-=ENTRY", json_quote(text)));
  }
  std::string name(before);
  const std::string_view value = text.substr(equals + 1);
  auto kind = FieldChange::Kind::kSet;
  if (name.size() > 1 && (name.back() == '+' || name.back() == '-')) {
    kind = name.back() == '+' ? FieldChange::Kind::kAdd : FieldChange::Kind::kRemove;
    name.pop_back();
  }
  std::string json = json_quote(value);
  if (ordered_json::accept(value)) {
    if (const auto checked = Document::parse(fmt::format(R"({{"value":{}}})", value)); !checked) {
      return Error(Code::kInvalidArgument, fmt::format("{}: {}", json_quote(name), checked.error().message()));
    }
    json = value;
  }
  if (kind != FieldChange::Kind::kSet && !ordered_json::parse(json).is_array()) json = fmt::format("[{}]", json);
  return FieldChange{std::move(name), std::move(json), kind};
}

namespace {

// The name of an entry of a list: of a metric, a plugin or a group. Other entries are their own names.
std::string name_of_entry(const ordered_json& entry) {
  const auto& named = entry.is_object() && entry.contains("name") ? entry["name"] : entry;
  if (!named.is_string()) return entry.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  // "agent.plugins.<module>.<Class>" means <module>.
  constexpr std::string_view kLongForm = "agent.plugins.";
  const auto name = named.get<std::string>();
  if (!name.starts_with(kLongForm)) return name;
  const std::string rest = name.substr(kLongForm.size());
  return rest.substr(0, rest.find('.'));
}

void change_list(ordered_json& list, const FieldChange& change) {
  for (const ordered_json& entry : ordered_json::parse(change.json)) {
    const std::string name = name_of_entry(entry);
    const auto same = [&name](const ordered_json& one) { return name_of_entry(one) == name; };
    const auto found = std::find_if(list.begin(), list.end(), same);
    if (change.kind == FieldChange::Kind::kRemove) {
      if (found != list.end()) list.erase(found);
    } else if (found == list.end()) {
      list.push_back(entry);
    } else if (entry.is_object()) {
      *found = entry;
    }
  }
}

Status apply_change(ordered_json& document, const FieldChange& change, const ordered_json& below) {
  if (change.kind == FieldChange::Kind::kSet) {
    document[change.name] = ordered_json::parse(change.json);
    return {};
  }
  const auto usual = ordered_json::parse(default_document());
  ordered_json list = ordered_json::array();
  for (const ordered_json* const layer : std::initializer_list<const ordered_json*>{&document, &below, &usual}) {
    if (!layer->is_object() || !layer->contains(change.name) || (*layer)[change.name].is_null()) continue;
    list = (*layer)[change.name];
    break;
  }
  if (!list.is_array()) {
    return Error(Code::kInvalidArgument,
                 fmt::format("{}: += and -= need a list, and it is {}", json_quote(change.name), list.type_name()));
  }
  change_list(list, change);
  document[change.name] = std::move(list);
  return {};
}

}  // namespace

Result<std::string> edit_document(const std::optional<std::string>& current, const std::vector<FieldChange>& changes,
                                  bool full, Edited what, const PluginCatalog& plugins, const std::string& below) {
  const std::string base = current ? *current : full ? default_document() : std::string("{}");
  if (current) {
    const auto readable = Document::parse(base);
    if (!readable) return readable.error().with_context("the current document");
  }
  ordered_json document = ordered_json::parse(base);
  if (!document.is_object()) return Error(Code::kInvalidArgument, "the current document is not an object");
  const auto lower = parse_foreign<ordered_json>(below);
  for (const FieldChange& change : changes) {
    if (Status done = apply_change(document, change, lower); !done) return done.error();
  }
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
    if (change.kind != FieldChange::Kind::kSet) continue;
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
    const std::string_view wanted = change.kind == FieldChange::Kind::kSet   ? "wanted"
                                    : change.kind == FieldChange::Kind::kAdd ? "to be added"
                                                                             : "to be removed";
    lines.push_back(
        fmt::format("{} is {}, {} {}", change.name, field_of(now, change.name), wanted, compact(change.json)));
  }
  return join(lines, "; ");
}

}  // namespace monitor::config
