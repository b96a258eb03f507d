// Passwords, stored as scrypt hashes (RFC 7914) by OpenSSL. Each hash contains its own parameters, so that they can be
// raised for new passwords while the old hashes stay valid:
//
//   scrypt:65536:8:2:SALT:HASH     N, r, p, and the salt and the hash in hexadecimal
//
// Hashing takes 64 MiB and a fraction of a second: never do it on the event loop's thread. Pure and thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace monitor::access {

struct ScryptCost {
  uint64_t n = uint64_t{1} << 16U;  // memory is 128 * n * r bytes
  uint64_t r = 8;
  uint64_t p = 2;
};

// Bounds the cost of a login that a users file can cause.
inline constexpr uint64_t kMaxScryptBytes = uint64_t{64} << 20U;
inline constexpr uint64_t kMaxScryptP = 8;
inline constexpr size_t kMinPassword = 12;  // bytes
inline constexpr size_t kMaxPassword = 1024;

struct PasswordHash {
  ScryptCost cost;
  std::string salt;
  std::string hash;
};

// kInvalidArgument if the text is malformed or its cost is out of bounds. The message does not contain the text.
Result<PasswordHash> parse_password_hash(std::string_view text);
// Checks a new password: its length, and no control characters.
Status check_new_password(std::string_view password);
// kResourceExhausted if there is no memory for it.
Result<std::string> hash_password(std::string_view password, Random& random, const ScryptCost& cost = {});
// Returns whether the password matches the hash. kResourceExhausted if there is no memory for the comparison.
Result<bool> matches(std::string_view password, const PasswordHash& stored);
// A hash that no password matches. Verifying against it takes as long as verifying against another hash of that cost.
PasswordHash dummy_hash(const ScryptCost& cost = {});

}  // namespace monitor::access
