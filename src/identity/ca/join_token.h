// The token with which an agent joins: mjt1_<id>_<secret>_<pin>, all in lower-case hexadecimal (8, 32 and 32 bytes).
// The id names the token in lists and logs; the secret proves that the holder has it; the pin is the SHA-256 of the
// CA's public key, by which the agent recognizes the server at first contact. Values; pure functions.
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

  // A secret: the text that is given to the agent.
  std::string text() const;
  // What the server stores.
  std::string secret_hash() const;
};

// A new token. `random` must be unpredictable.
JoinToken make_join_token(Random& random, const std::string& pin);
// kInvalidArgument says what is wrong, and never repeats the text. Whitespace around the token is ignored.
Result<JoinToken> parse_join_token(std::string_view text);

}  // namespace monitor::identity
