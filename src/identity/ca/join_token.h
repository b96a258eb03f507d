// The token with which an agent joins: mjt1_<id>_<secret>_<pin>, each part in lower-case hexadecimal (8, 32 and 32
// bytes). The id identifies the token in lists and logs. The secret authorizes its holder. The pin is the SHA-256 of
// the CA's public key, by which the agent authenticates the server at first contact. Values; pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace monitor::identity {

struct JoinToken {
  static constexpr size_t kIdBytes = 8;
  static constexpr size_t kSecretBytes = 32;

  std::string id;
  std::string secret;
  std::string pin;

  // The text that is given to the agent. It contains the secret.
  std::string text() const;
  // The SHA-256 of the secret; the server stores only this.
  std::string secret_hash() const;
};

// A new token. `random` must be unpredictable.
JoinToken make_join_token(Random& random, const std::string& pin);
// kInvalidArgument says what is wrong, and never repeats the text. Whitespace around the token is ignored.
Result<JoinToken> parse_join_token(std::string_view text);

}  // namespace monitor::identity
