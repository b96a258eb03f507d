#include "ui/access/accounts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cctype>
#include <initializer_list>

#include "base/hex.h"
#include "base/text.h"
#include "base/time_format.h"
#include "ui/access/password.h"
#include "ui/access/secret.h"

namespace monitor::access {

using nlohmann::ordered_json;

namespace {

constexpr int kMaxDepth = 8;
constexpr size_t kDigestDigits = 64;

Error wrong(const std::string& where, const std::string& what) {
  return Error(Code::kInvalidArgument, where + ": " + what);
}

// Checks that the object has exactly these fields, all of them strings.
Status check_fields(const ordered_json& object, std::initializer_list<const char*> names, const std::string& where) {
  if (!object.is_object()) return wrong(where, "expected an object");
  for (const char* const name : names) {
    if (!object.contains(name) || !object[name].is_string()) {
      return wrong(where, fmt::format("expected a text in the field {}", name));
    }
  }
  for (const auto& [name, value] : object.items()) {
    if (std::ranges::any_of(names, [&](const char* known) { return name == known; })) continue;
    return wrong(where, fmt::format("unknown field {}", json_quote(name.substr(0, 64))));
  }
  return {};
}

Result<int64_t> time_in(const ordered_json& object, const char* field, const std::string& where) {
  const auto time = parse_rfc3339(object[field].get<std::string>());
  if (!time) return wrong(where, fmt::format("{}: {}", field, time.error().message()));
  return *time;
}

Result<User> parse_user(const ordered_json& object, const std::string& where) {
  if (Status known = check_fields(object, {"name", "role", "password", "changed"}, where); !known) return known.error();
  User user{.name = object["name"].get<std::string>(), .password = object["password"].get<std::string>()};
  if (!valid_user_name(user.name)) return wrong(where, "name: expected 1 to 128 of [A-Za-z0-9._@+-]");
  const auto role = parse_role(object["role"].get<std::string>());
  if (!role) return wrong(where, role.error().message());
  user.role = *role;
  if (const auto hash = parse_password_hash(user.password); !hash) return wrong(where, hash.error().message());
  const auto changed = time_in(object, "changed", where);
  if (!changed) return changed.error();
  user.changed_ns = *changed;
  return user;
}

Result<ApiToken> parse_token(const ordered_json& object, const std::string& where) {
  if (Status known = check_fields(object, {"name", "role", "sha256", "created", "expires"}, where); !known) {
    return known.error();
  }
  ApiToken token{.name = object["name"].get<std::string>(), .digest = object["sha256"].get<std::string>()};
  if (!valid_user_name(token.name)) return wrong(where, "name: expected 1 to 128 of [A-Za-z0-9._@+-]");
  const auto role = parse_role(object["role"].get<std::string>());
  if (!role) return wrong(where, role.error().message());
  token.role = *role;
  const bool lower = std::ranges::none_of(token.digest, [](unsigned char c) { return std::isupper(c) != 0; });
  if (token.digest.size() != kDigestDigits || !lower || !unhex(token.digest)) {
    return wrong(where, "sha256: expected 64 lower-case hexadecimal digits");
  }
  const auto created = time_in(object, "created", where);
  if (!created) return created.error();
  const auto expires = time_in(object, "expires", where);
  if (!expires) return expires.error();
  token.created_ns = *created;
  token.expires_ns = *expires;
  return token;
}

template <typename T>
Status parse_list(const ordered_json& list, const char* what, size_t most,
                  Result<T> (*parse)(const ordered_json&, const std::string&),
                  std::map<std::string, T, std::less<>>& into) {
  if (!list.is_array()) return wrong(what, "expected a list");
  if (list.size() > most) return wrong(what, fmt::format("got {} entries, the limit is {}", list.size(), most));
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string where = fmt::format("{}[{}]", what, i);
    auto one = parse(list[i], where);
    if (!one) return one.error();
    std::string name = one->name;
    if (!into.emplace(name, std::move(*one)).second) return wrong(where, "the name " + name + " appears twice");
  }
  return {};
}

// Deeply nested JSON would exhaust the stack when it is destroyed.
bool too_deep(std::string_view json) {
  int depth = 0;
  for (const char c : json) {
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kMaxDepth) return true;
  }
  return false;
}

}  // namespace

const User* Accounts::user(std::string_view name) const {
  const auto found = users.find(name);
  return found == users.end() ? nullptr : &found->second;
}

const ApiToken* Accounts::token(std::string_view token) const {
  if (!token.starts_with(kTokenPrefix)) return nullptr;
  const std::string digest = digest_of(token);
  const auto found = std::ranges::find_if(tokens, [&](const auto& one) { return one.second.digest == digest; });
  return found == tokens.end() ? nullptr : &found->second;
}

bool valid_user_name(std::string_view name) {
  constexpr std::string_view kOthers = "._@+-";
  return !name.empty() && name.size() <= 128 && std::ranges::all_of(name, [&](char c) {
    const bool digit = c >= '0' && c <= '9';
    return digit || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || kOthers.find(c) != std::string_view::npos;
  });
}

Result<Accounts> parse_accounts(std::string_view json) {
  if (too_deep(json)) return wrong("the users file", "expected an object with users and tokens");
  const auto parsed = ordered_json::parse(json, nullptr, false);
  if (!parsed.is_object()) return wrong("the users file", "expected a JSON object");
  Accounts accounts;
  if (!parsed.contains("version") || parsed["version"] != 1) return wrong("version", "expected 1");
  for (const auto& [name, value] : parsed.items()) {
    Status done;
    if (name == "users") {
      done = parse_list<User>(value, "users", Accounts::kMaxUsers, &parse_user, accounts.users);
    } else if (name == "tokens") {
      done = parse_list<ApiToken>(value, "tokens", Accounts::kMaxTokens, &parse_token, accounts.tokens);
    } else if (name != "version") {
      done = wrong("the users file", fmt::format("unknown field {}", json_quote(name.substr(0, 64))));
    }
    if (!done) return done.error();
  }
  return accounts;
}

std::string accounts_json(const Accounts& accounts) {
  ordered_json users = ordered_json::array();
  for (const auto& [name, user] : accounts.users) {
    users.push_back({{"name", name},
                     {"role", to_string(user.role)},
                     {"password", user.password},
                     {"changed", format_rfc3339(user.changed_ns, 0)}});
  }
  ordered_json tokens = ordered_json::array();
  for (const auto& [name, token] : accounts.tokens) {
    tokens.push_back({{"name", name},
                      {"role", to_string(token.role)},
                      {"sha256", token.digest},
                      {"created", format_rfc3339(token.created_ns, 0)},
                      {"expires", format_rfc3339(token.expires_ns, 0)}});
  }
  return ordered_json{{"version", 1}, {"users", users}, {"tokens", tokens}}.dump(2) + "\n";
}

}  // namespace monitor::access
