#include "doctor/env_file.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace monitor::doctor {

namespace {

bool is_name(std::string_view name) {
  const auto word = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !name.empty() && (name[0] < '0' || name[0] > '9') && std::ranges::all_of(name, word);
}

// Without quotes and backslashes. False if a quote is open at the end.
bool unquote(std::string_view text, std::string& value) {
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else if (c == '\\' && quote != '\'') {
      if (++i == text.size()) return false;  // a continuation line
      value += text[i];
    } else {
      value += c;
    }
  }
  return quote == 0;
}

}  // namespace

Result<std::map<std::string, std::string>> parse_env_file(std::string_view text) {
  std::map<std::string, std::string> values;
  size_t number = 0;
  for (const std::string_view whole : split(text, '\n')) {
    ++number;
    const std::string_view line = trim(whole);
    if (line.empty() || line[0] == '#' || line[0] == ';') continue;
    const size_t equals = line.find('=');
    const std::string_view name = trim(line.substr(0, equals));
    if (equals == std::string_view::npos || !is_name(name)) {
      return Error(Code::kInvalidArgument, fmt::format("line {}: expected NAME=VALUE", number));
    }
    std::string value;
    if (!unquote(trim(line.substr(equals + 1)), value)) {
      return Error(Code::kInvalidArgument,
                   fmt::format("line {}: the value of {} does not end on its line", number, name));
    }
    values[std::string(name)] = std::move(value);
  }
  return values;
}

Result<std::string> env_value(std::string_view value) {
  const auto control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
  if (std::ranges::any_of(value, control)) {
    return Error(Code::kInvalidArgument, "a value has a control character: " + json_quote(value.substr(0, 60)));
  }
  const auto plain = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           std::string_view("_-./:,@%+=[]").find(c) != std::string_view::npos;
  };
  if (std::ranges::all_of(value, plain)) return std::string(value);
  std::string quoted = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\' || c == '$' || c == '`') quoted += '\\';
    quoted += c;
  }
  return quoted + "\"";
}

}  // namespace monitor::doctor
