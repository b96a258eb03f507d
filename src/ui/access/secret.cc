#include "ui/access/secret.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <cstdlib>

#include "base/hex.h"

namespace monitor::access {

namespace {

using Sha256 = std::array<unsigned char, 32>;

std::string hex_of(const Sha256& bytes) { return hex({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }

}  // namespace

std::string new_secret(Random& random) {
  Sha256 bytes{};
  random.fill(bytes.data(), bytes.size());
  return hex_of(bytes);
}

std::string digest_of(std::string_view text) {
  Sha256 out{};
  // Fails only when memory is exhausted or the library is broken. No digest is better than a wrong one.
  if (EVP_Digest(text.data(), text.size(), out.data(), nullptr, EVP_sha256(), nullptr) != 1) std::abort();
  return hex_of(out);
}

std::string keyed_digest(std::string_view key, std::string_view text) {
  Sha256 out{};
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(text.data()),
           text.size(), out.data(), nullptr) == nullptr) {
    std::abort();
  }
  return hex_of(out);
}

bool same_secret(std::string_view one, std::string_view other) {
  return one.size() == other.size() && CRYPTO_memcmp(one.data(), other.data(), one.size()) == 0;
}

void wipe(std::string& text) {
  OPENSSL_cleanse(text.data(), text.size());
  text.clear();
}

}  // namespace monitor::access
