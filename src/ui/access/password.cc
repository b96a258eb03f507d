#include "ui/access/password.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include <algorithm>
#include <bit>
#include <vector>

#include "base/counted.h"
#include "base/hex.h"
#include "base/text.h"
#include "ui/access/secret.h"

namespace monitor::access {

namespace {

constexpr size_t kSaltBytes = 16;
constexpr size_t kMaxSaltBytes = 64;
constexpr size_t kHashBytes = 32;
constexpr uint64_t kMinScryptN = 1024;
// OpenSSL also counts its working memory, a few blocks of 128 * r bytes.
constexpr uint64_t kRoomForOpenssl = uint64_t{1} << 20U;

bool within_bounds(const ScryptCost& cost) {
  if (cost.n < kMinScryptN || !std::has_single_bit(cost.n) || cost.n > kMaxScryptBytes) return false;
  if (cost.r < 1 || cost.r > 64 || cost.p < 1 || cost.p > kMaxScryptP) return false;
  return 128 * cost.n * cost.r <= kMaxScryptBytes;
}

Result<std::string> scrypt(std::string_view password, const std::string& salt, const ScryptCost& cost) {
  std::string out(kHashBytes, '\0');
  const int done = EVP_PBE_scrypt(password.data(), password.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                                  salt.size(), cost.n, cost.r, cost.p, kMaxScryptBytes + kRoomForOpenssl,
                                  reinterpret_cast<unsigned char*>(out.data()), out.size());
  if (done == 1) return out;
  ERR_clear_error();
  return Error(Code::kResourceExhausted, fmt::format("hashing a password needs {} MiB, which are not available",
                                                     128 * cost.n * cost.r / (1U << 20U)));
}

}  // namespace

Result<PasswordHash> parse_password_hash(std::string_view text) {
  const Error malformed(Code::kInvalidArgument, "expected a password hash of the form scrypt:N:R:P:SALT:HASH");
  const std::vector<std::string_view> parts = split(text, ':');
  if (parts.size() != 6 || parts[0] != "scrypt") return malformed;
  const auto n = parse_u64(parts[1]);
  const auto r = parse_u64(parts[2]);
  const auto p = parse_u64(parts[3]);
  auto salt = unhex(parts[4]);
  auto hash = unhex(parts[5]);
  if (!n || !r || !p || !salt || !hash) return malformed;
  if (salt->size() < kSaltBytes || salt->size() > kMaxSaltBytes || hash->size() != kHashBytes) return malformed;
  PasswordHash parsed{{*n, *r, *p}, std::move(*salt), std::move(*hash)};
  if (within_bounds(parsed.cost)) return parsed;
  return Error(Code::kInvalidArgument,
               fmt::format("password hash: the cost N={} r={} p={} is out of bounds: N a power of two of {} or more, p "
                           "up to {}, 128*N*r up to {} MiB",
                           *n, *r, *p, kMinScryptN, kMaxScryptP, kMaxScryptBytes >> 20U));
}

Status check_new_password(std::string_view password) {
  if (password.size() < kMinPassword || password.size() > kMaxPassword) {
    return Error(Code::kInvalidArgument, fmt::format("got a password of {}, expected {} to {}",
                                                     counted(password.size(), "byte"), kMinPassword, kMaxPassword));
  }
  if (std::ranges::any_of(password, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    return Error(Code::kInvalidArgument, "the password contains a control character, which a login form cannot send");
  }
  return {};
}

Result<std::string> hash_password(std::string_view password, Random& random, const ScryptCost& cost) {
  std::string salt(kSaltBytes, '\0');
  random.fill(salt.data(), salt.size());
  const auto hash = scrypt(password, salt, cost);
  if (!hash) return hash.error();
  return fmt::format("scrypt:{}:{}:{}:{}:{}", cost.n, cost.r, cost.p, hex(salt), hex(*hash));
}

Result<bool> matches(std::string_view password, const PasswordHash& stored) {
  const auto hash = scrypt(password, stored.salt, stored.cost);
  if (!hash) return hash.error();
  return same_secret(*hash, stored.hash);
}

PasswordHash dummy_hash(const ScryptCost& cost) {
  return {cost, std::string(kSaltBytes, '\0'), std::string(kHashBytes, '\0')};
}

}  // namespace monitor::access
