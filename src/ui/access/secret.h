// Random secrets, and the digests under which they are stored. A secret has 256 random bits, so its digest needs
// neither a salt nor a slow hash. Pure functions, except for new_secret(), which takes random numbers.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"

namespace monitor::access {

// 64 hexadecimal digits.
std::string new_secret(Random& random);
// SHA-256, as 64 hexadecimal digits.
std::string digest_of(std::string_view text);
// HMAC-SHA-256, as 64 hexadecimal digits.
std::string keyed_digest(std::string_view key, std::string_view text);
// Compares in a time that depends on the lengths only.
bool same_secret(std::string_view one, std::string_view other);
// Overwrites the text in memory, and makes it empty.
void wipe(std::string& text);

}  // namespace monitor::access
