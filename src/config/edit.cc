#include "config/edit.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "config/schema.h"

namespace monitor::config {

using nlohmann::ordered_json;

std::string duration_json(std::string_view text) {
  return parse_double(text) ? std::string(text) : json_quote(text);
}

Result<std::string> words_json(const std::vector<std::string>& words) {
  ordered_json list = ordered_json::array();
  for (const std::string& word : words) {
    if (!word.starts_with("{")) {
      list.push_back(word);
      continue;
    }
    auto object = ordered_json::parse(word, nullptr, false);
    if (object.is_discarded()) return Error(Code::kInvalidArgument, fmt::format("not JSON: {}", json_quote(word.substr(0, 200))));
    list.push_back(std::move(object));
  }
  return list.dump();
}

Result<FieldChange> parse_field(std::string_view text) {
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error(Code::kInvalidArgument, fmt::format("got {}, expected FIELD=VALUE", json_quote(text)));
  }
  const std::string_view value = text.substr(equals + 1);
  return FieldChange{std::string(text.substr(0, equals)),
                     ordered_json::accept(value) ? std::string(value) : json_quote(value)};
}

Result<std::string> edit_document(const std::optional<std::string>& current, const std::vector<FieldChange>& changes,
                                  bool full, const PluginCatalog& plugins) {
  const std::string base = current ? *current : full ? default_document() : std::string("{}");
  if (current) {
    const auto readable = Document::parse(base);
    if (!readable) return readable.error().with_context("the document that is there");
  }
  ordered_json document = ordered_json::parse(base);
  if (!document.is_object()) return Error(Code::kInvalidArgument, "the document that is there is not an object");
  for (const FieldChange& change : changes) document[change.name] = ordered_json::parse(change.json);
  std::string text = document.dump(4, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  auto parsed = Document::parse(text);
  if (!parsed) return parsed.error();
  const Validated validated = validate({{"", 0, std::move(*parsed)}}, plugins);
  if (validated.ok()) return text;
  std::vector<std::string> lines;
  for (Problem problem : validated.problems) {
    if (problem.warning) continue;
    problem.line = 0;  // of a text that nobody has seen
    lines.push_back(problem.to_string());
  }
  return Error(Code::kInvalidArgument, join(lines, "\n"));
}

}  // namespace monitor::config
