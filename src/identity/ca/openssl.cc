#include "identity/ca/openssl.h"

#include <openssl/crypto.h>
#include <openssl/err.h>

#include <algorithm>
#include <cctype>
#include <climits>

#include "identity/ca/credentials.h"

namespace monitor::identity {

Error openssl_error(Code code, const std::string& what) {
  std::string text;
  while (const unsigned long reason = ERR_get_error()) {
    const char* const word = ERR_reason_error_string(reason);
    if (word != nullptr) text += (text.empty() ? "" : "; ") + std::string(word);
  }
  return Error(code, what + ": " + (text.empty() ? "unknown error of OpenSSL" : text));
}

std::string bio_text(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return size <= 0 ? std::string() : std::string(data, static_cast<size_t>(size));
}

Owned<BIO> bio_over(std::string_view bytes) {
  return Owned<BIO>(BIO_new_mem_buf(bytes.data(), static_cast<int>(std::min<size_t>(bytes.size(), INT_MAX))));
}

Owned<X509> parse_certificate(std::string_view der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  Owned<X509> certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  return at == end ? std::move(certificate) : nullptr;
}

std::string der_of(X509* certificate) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509(certificate, &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(bytes);
  return der;
}

std::string key_hash_of(const X509_PUBKEY* key) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_PUBKEY(key, &bytes);
  std::string hash = sha256_hex({reinterpret_cast<const char*>(bytes), static_cast<size_t>(std::max(size, 0))});
  OPENSSL_free(bytes);
  return hash;
}

std::string serial_of(const X509* certificate) {
  const Owned<BIGNUM> number(ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr));
  char* const digits = number == nullptr ? nullptr : BN_bn2hex(number.get());
  std::string serial = digits == nullptr ? "" : digits;
  OPENSSL_free(digits);
  std::ranges::transform(serial, serial.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return serial;
}

}  // namespace monitor::identity
