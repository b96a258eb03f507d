// Keys, certificate requests and certificates as bytes, for the built-in CA and for the agents that join it. Private
// keys stay inside PrivateKey, except for private_pem(). Pure functions and immutable values; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::identity {

// SHA-256 in lower-case hexadecimal.
std::string sha256_hex(std::string_view bytes);
// Compares in constant time, except for the lengths.
bool equal_secrets(std::string_view a, std::string_view b);

class PrivateKey {
 public:
  // A new P-256 key, from OpenSSL's random numbers.
  static Result<PrivateKey> generate();
  // The first private key in the text. The error never repeats the text.
  static Result<PrivateKey> from_pem(std::string_view pem);

  // A secret: PKCS#8 without a password.
  std::string private_pem() const;
  // SHA-256 of the public key (SubjectPublicKeyInfo), in hexadecimal.
  std::string public_hash() const;
  // A certificate request (PKCS#10, DER) signed by this key. The CA uses nothing of it but the public key.
  Result<std::string> request() const;

 private:
  friend class Authority;
  struct Impl;
  explicit PrivateKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// The public key of a certificate request.
struct RequestFacts {
  std::string key_hash;  // as PrivateKey::public_hash()
};
constexpr size_t kMaxRequestBytes = size_t{8} * 1024;
// Checks a certificate request (DER) of a peer. It must be well-formed and signed by its own key, which must be EC
// P-256 or P-384, Ed25519, or RSA of 2048 to 4096 bits. kInvalidArgument says what is wrong.
Result<RequestFacts> check_request(std::string_view der);

struct CertificateFacts {
  std::string serial;  // lower-case hexadecimal
  int64_t not_before_ns = 0;
  int64_t not_after_ns = 0;
  std::string key_hash;
  bool is_ca = false;
  std::vector<std::string> uris;   // of the subjectAltName
  std::vector<std::string> names;  // DNS names and addresses of the subjectAltName
};
// Parses one certificate (DER).
Result<CertificateFacts> read_certificate(std::string_view der);
// True if the issuer's key has signed the certificate; both DER.
bool is_signed_by(std::string_view certificate, std::string_view issuer);

std::string certificate_pem(std::string_view der);
// Every certificate in the text, as DER. kInvalidArgument if there is none.
Result<std::vector<std::string>> certificates_of(std::string_view pem);

}  // namespace monitor::identity
