#include "rules/scalar_place.h"

#include "base/text.h"

namespace monitor::rules {

namespace {

std::string_view line_of(std::string_view file, int number) {
  for (int line = 1; line < number; ++line) {
    const size_t end = file.find('\n');
    if (end == std::string_view::npos) return {};
    file.remove_prefix(end + 1);
  }
  return file.substr(0, file.find('\n'));
}

}  // namespace

InnerPlace split_place(std::string_view text) {
  const size_t first = text.find(':');
  const size_t second = first == std::string_view::npos ? first : text.find(": ", first + 1);
  if (second != std::string_view::npos) {
    const auto line = parse_u64(text.substr(0, first));
    const auto column = parse_u64(text.substr(first + 1, second - first - 1));
    if (line && column) {
      return {{static_cast<int>(*line), static_cast<int>(*column)}, std::string(text.substr(second + 2))};
    }
  }
  return {{}, std::string(text)};
}

Place place_in_scalar(std::string_view file, const YamlNode& scalar, const Place& inside) {
  const std::string_view begin = line_of(file, scalar.place.line);
  const auto at = static_cast<size_t>(scalar.place.column - 1);
  if (at >= begin.size()) return scalar.place;
  const char first = begin[at];
  if (first == '|') {
    const std::string_view line = line_of(file, scalar.place.line + inside.line);
    const size_t first_line_indent = line_of(file, scalar.place.line + 1).find_first_not_of(' ');
    if (line.empty() || first_line_indent == std::string_view::npos) return scalar.place;
    return {scalar.place.line + inside.line, static_cast<int>(first_line_indent) + inside.column};
  }
  if (first == '>' || inside.line > 1) return scalar.place;
  const bool quoted = first == '"' || first == '\'';
  const std::string_view rest = begin.substr(at + (quoted ? 1 : 0));
  // An escape before the place, or a text that goes on in the next line, would move it.
  if (!rest.starts_with(scalar.text.substr(0, static_cast<size_t>(inside.column - 1)))) return scalar.place;
  return {scalar.place.line, scalar.place.column + (quoted ? 1 : 0) + inside.column - 1};
}

}  // namespace monitor::rules
