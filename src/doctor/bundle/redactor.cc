#include "doctor/bundle/redactor.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "base/text.h"

namespace monitor::doctor {

namespace {

constexpr size_t kLeastSecret = 4;
constexpr std::array<std::string_view, 9> kSecretNames = {"password",   "passwd", "passphrase", "secret",    "token",
                                                          "credential", "jaas",   "apikey",     "privatekey"};
constexpr std::array<std::string_view, 4> kHarmlessEnds = {"file", "folder", "location", "path"};
constexpr std::array<std::string_view, 2> kTokenPrefixes = {"mjt1_", "monitor-token-"};
// Parts of the names of those Kafka settings that are secrets, besides kSecretNames. The values of all others explain a
// failed connection, and "1000" or "plain" must not be removed from everything else.
constexpr std::array<std::string_view, 3> kSecretSettings = {"username", "keypem", "oauthbearerconfig"};
constexpr std::array<std::string_view, 4> kNoValues = {"true", "false", "null", "none"};

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

// Lower case, without '_', '-' and '.': api_key, api-key and ApiKey are one name.
std::string folded(std::string_view name) {
  std::string result;
  for (const char c : name) {
    if (c == '_' || c == '-' || c == '.') continue;
    result += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return result;
}

bool names_a_secret(std::string_view name) {
  const std::string text = folded(name);
  if (std::ranges::any_of(kHarmlessEnds, [&](std::string_view end) { return text.ends_with(end); })) return false;
  return std::ranges::any_of(kSecretNames, [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

// The form of the names of Kafka's settings: sasl.mechanisms, but not alice.
bool is_setting(std::string_view name) {
  return name == "debug" || name == "acks" ||
         (name.find('.') != std::string_view::npos && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
          }));
}

bool is_harmless_setting(std::string_view name) {
  if (!is_setting(name) || names_a_secret(name)) return false;
  const std::string text = folded(name);
  return std::ranges::none_of(kSecretSettings,
                              [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

bool is_letters(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); });
}

// Whether the name that begins at `begin` is the end of a path from the root, as in "/etc/monitor/token".
bool ends_path(std::string_view line, size_t begin) {
  size_t at = begin;
  while (at > 0 && (is_name_byte(line[at - 1]) || line[at - 1] == '/')) --at;
  return at < begin && line[at] == '/';
}

// The end of a value that starts at `at`: of a quoted one its quote, else a space or a separator.
size_t value_end(std::string_view line, size_t at) {
  if (at < line.size() && (line[at] == '"' || line[at] == '\'')) {
    size_t end = at + 1;
    while (end < line.size() && line[end] != line[at]) end += line[end] == '\\' ? 2 : 1;
    return std::min(end, line.size());
  }
  return std::min(line.find_first_of(" \t,;&}]\"'", at), line.size());
}

struct Value {
  size_t begin = 0;
  size_t end = 0;
};

// The value of the name that ends at `at`; nothing if no '=' or ':' follows.
std::optional<Value> value_after(std::string_view line, size_t at) {
  size_t i = at;
  if (i < line.size() && (line[i] == '"' || line[i] == '\'')) ++i;
  while (i < line.size() && (line[i] == ' ' || line[i] == '\t')) ++i;
  if (i >= line.size() || (line[i] != '=' && line[i] != ':')) return std::nullopt;
  ++i;
  while (i < line.size() && (line[i] == ' ' || line[i] == '\t')) ++i;
  const size_t end = value_end(line, i);
  const bool quoted = i < line.size() && (line[i] == '"' || line[i] == '\'');
  return Value{quoted ? i + 1 : i, end};
}

// True for what stands where a value could be, but is none: "token: it is empty", "/etc/monitor/token: mode 0600",
// "secret":true, tokens=2. `begin` and `end`: of the name.
bool is_no_value(std::string_view line, size_t begin, size_t end, const Value& value) {
  const std::string_view text = line.substr(value.begin, value.end - value.begin);
  if (std::ranges::find(kNoValues, text) != kNoValues.end()) return true;
  const bool number = text.find_first_not_of("0123456789") == std::string_view::npos;
  if (number && text.size() < kLeastSecret) return true;
  // A word after a colon and a space, with another word behind it: prose.
  const bool sentence = line.substr(end, 2) == ": " && value.begin == end + 2 && is_letters(text) &&
                        value.end + 1 < line.size() && line[value.end] == ' ' && is_name_byte(line[value.end + 1]);
  return sentence && (text.size() < kLeastSecret || ends_path(line, begin));
}

bool equal_folded(std::string_view text, std::string_view lower) { return folded(text) == lower; }

// A header whose value goes to the end of the line, or a scheme whose credentials are the next word.
std::optional<Value> credentials_after(std::string_view line, std::string_view name, size_t at) {
  if (equal_folded(name, "authorization") || equal_folded(name, "cookie") || equal_folded(name, "setcookie")) {
    if (at < line.size() && line[at] == ':') return Value{at + 1, line.size()};
  }
  if ((equal_folded(name, "bearer") || equal_folded(name, "basic")) && at < line.size() && line[at] == ' ') {
    const size_t end = value_end(line, at + 1);
    // "basic information" is no login.
    if (end - at - 1 >= 16) return Value{at + 1, end};
  }
  return std::nullopt;
}

std::optional<Value> find_secret(std::string_view line, size_t from) {
  for (size_t i = from; i < line.size();) {
    if (line.substr(i).starts_with("://")) {
      const size_t end = std::min(line.find_first_of("/ \t\"'?#", i + 3), line.size());
      const size_t at = line.substr(0, end).rfind('@');
      if (at != std::string_view::npos && at > i + 3) return Value{i + 3, at};
      i += 3;
      continue;
    }
    if (!is_name_byte(line[i])) {
      ++i;
      continue;
    }
    size_t end = i;
    while (end < line.size() && is_name_byte(line[end])) ++end;
    const std::string_view name = line.substr(i, end - i);
    if (std::ranges::any_of(kTokenPrefixes, [&](std::string_view prefix) { return name.starts_with(prefix); })) {
      return Value{i, end};
    }
    auto value = credentials_after(line, name, end);
    if (!value && names_a_secret(name)) {
      value = value_after(line, end);
      if (value && is_no_value(line, i, end, *value)) value.reset();
    }
    if (value && value->end > value->begin && line.substr(value->begin, kRemoved.size()) != kRemoved) return value;
    i = end;
  }
  return std::nullopt;
}

bool is_private_key_line(std::string_view line, std::string_view what) {
  return line.find(what) != std::string_view::npos && line.find("PRIVATE KEY-----") != std::string_view::npos;
}

}  // namespace

void Redactor::add_secret(std::string_view value) {
  value = trim(value);
  if (value.size() < kLeastSecret) return;
  secrets_.emplace(value);
  const std::string quoted = json_quote(value);
  secrets_.insert(quoted.substr(1, quoted.size() - 2));
}

void Redactor::add_secret_file(std::string_view text) {
  add_secret(text);
  for (const std::string_view whole : split(text, '\n')) {
    const std::string_view line = trim(whole);
    if (line.empty() || line[0] == '#' || line.starts_with("-----")) continue;
    const size_t sign = line.find_first_of("=:");
    const std::string_view name = trim(line.substr(0, sign));
    if (sign != std::string_view::npos && is_harmless_setting(name)) continue;
    add_secret(line);
    if (sign != std::string_view::npos) add_secret(line.substr(sign + 1));
  }
}

std::string Redactor::clean_line(std::string_view line) {
  std::string result(line);
  for (size_t from = 0;;) {
    const auto value = find_secret(result, from);
    if (!value) return result;
    result.replace(value->begin, value->end - value->begin, kRemoved);
    ++removed_;
    from = value->begin + kRemoved.size();
  }
}

std::string Redactor::clean(std::string_view text) {
  std::string known(text);
  for (const std::string& secret : secrets_) {
    for (size_t at = known.find(secret); at != std::string::npos; at = known.find(secret, at + kRemoved.size())) {
      known.replace(at, secret.size(), kRemoved);
      ++removed_;
    }
  }
  std::string result;
  bool in_key = false;
  bool first = true;
  for (const std::string_view line : split(known, '\n')) {
    const bool begins = !in_key && is_private_key_line(line, "-----BEGIN ");
    const bool inside = in_key;
    if (begins || inside) in_key = !is_private_key_line(line, "-----END ");
    if (inside) continue;  // one replacement for the whole key
    if (!std::exchange(first, false)) result += '\n';
    if (begins) ++removed_;
    result += begins ? std::string(kRemoved) : clean_line(line);
  }
  return result;
}

}  // namespace monitor::doctor
