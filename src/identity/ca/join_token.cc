#include "identity/ca/join_token.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/counted.h"
#include "base/hex.h"
#include "base/text.h"
#include "identity/ca/credentials.h"

namespace monitor::identity {

namespace {

constexpr std::string_view kPrefix = "mjt1";
constexpr size_t kPinDigits = 64;

bool is_lower_hex(std::string_view text, size_t digits) {
  return text.size() == digits &&
         std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

std::string random_hex(Random& random, size_t bytes) {
  std::string raw(bytes, '\0');
  random.fill(raw.data(), raw.size());
  return hex(raw);
}

Error malformed(const std::string& what) { return Error(Code::kInvalidArgument, "join token: " + what); }

}  // namespace

std::string JoinToken::text() const { return fmt::format("{}_{}_{}_{}", kPrefix, id, secret, pin); }

std::string JoinToken::secret_hash() const { return sha256_hex(secret); }

JoinToken make_join_token(Random& random, const std::string& pin) {
  std::string id = random_hex(random, JoinToken::kIdBytes);
  return {std::move(id), random_hex(random, JoinToken::kSecretBytes), pin};
}

Result<JoinToken> parse_join_token(std::string_view text) {
  text = trim(text);
  if (text.empty()) return malformed("it is empty");
  const auto parts = split(text, '_');
  if (parts.front() != kPrefix) return malformed("it does not begin with mjt1_");
  if (parts.size() != 4) return malformed(fmt::format("it has {}, expected 4", counted(parts.size(), "part")));
  if (!is_lower_hex(parts[1], 2 * JoinToken::kIdBytes)) return malformed("its id is not 16 hexadecimal digits");
  if (!is_lower_hex(parts[2], 2 * JoinToken::kSecretBytes)) return malformed("its secret is not 64 hexadecimal digits");
  if (!is_lower_hex(parts[3], kPinDigits)) return malformed("its pin is not 64 hexadecimal digits");
  return JoinToken{std::string(parts[1]), std::string(parts[2]), std::string(parts[3])};
}

}  // namespace monitor::identity
