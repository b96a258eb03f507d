// Accounts: the users and API tokens of the web page, as the users file stores them. The file is a JSON object:
//
//   {"version": 1,
//    "users":  [{"name": "ann", "role": "admin", "password": "scrypt:...", "changed": "2026-11-30T12:00:00Z"}],
//    "tokens": [{"name": "ci", "role": "viewer", "sha256": "HEX", "created": "...", "expires": "..."}]}
//
// Unknown fields are rejected, so that a typo cannot grant or withhold a right silently. Pure functions; fuzzed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "ui/access/role.h"

namespace monitor::access {

struct User {
  std::string name;
  Role role = Role::kViewer;
  std::string password;  // a hash (password.h)
  int64_t changed_ns = 0;
  bool operator==(const User&) const = default;
};

struct ApiToken {
  std::string name;
  Role role = Role::kViewer;
  std::string digest;  // SHA-256 of the token
  int64_t created_ns = 0;
  int64_t expires_ns = 0;
  bool operator==(const ApiToken&) const = default;
};

struct Accounts {
  static constexpr size_t kMaxUsers = 1000;
  static constexpr size_t kMaxTokens = 1000;

  std::map<std::string, User, std::less<>> users;
  std::map<std::string, ApiToken, std::less<>> tokens;  // by name
  bool operator==(const Accounts&) const = default;

  // nullptr if there is none.
  const User* user(std::string_view name) const;
  // The record of this token, even if it has expired. nullptr: it was never issued, or it was revoked.
  const ApiToken* token(std::string_view token) const;
};

// Every API token begins with this, so that scanners for leaked secrets can find them.
inline constexpr std::string_view kTokenPrefix = "monitor-token-";

// 1 to 128 of [A-Za-z0-9._@+-].
bool valid_user_name(std::string_view name);
// kInvalidArgument; the message names the entry, never a hash.
Result<Accounts> parse_accounts(std::string_view json);
std::string accounts_json(const Accounts& accounts);

}  // namespace monitor::access
