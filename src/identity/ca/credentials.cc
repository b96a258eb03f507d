#include "identity/ca/credentials.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <climits>
#include <ctime>
#include <utility>

#include "base/clock.h"
#include "base/hex.h"
#include "base/memory_dumps.h"
#include "identity/ca/openssl.h"
#include "identity/ca/private_key.h"

namespace monitor::identity {

namespace {

constexpr int kLeastRsaBits = 2048;
constexpr int kMostRsaBits = 4096;

Error bad_request(const std::string& what) { return Error(Code::kInvalidArgument, "certificate request: " + what); }

Status check_key(EVP_PKEY* key) {
  if (key == nullptr) return bad_request("its public key cannot be read");
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_ED25519:
      return {};
    case EVP_PKEY_EC: {
      std::array<char, 80> group{};
      if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(), nullptr) != 1) {
        return bad_request("its curve has no name");
      }
      const int curve = OBJ_txt2nid(group.data());
      if (curve == NID_X9_62_prime256v1 || curve == NID_secp384r1) return {};
      return bad_request("its curve is neither P-256 nor P-384");
    }
    case EVP_PKEY_RSA: {
      const int bits = EVP_PKEY_get_bits(key);
      if (bits >= kLeastRsaBits && bits <= kMostRsaBits) return {};
      return bad_request(fmt::format("its RSA key has {} bits, expected {} to {}", bits, kLeastRsaBits, kMostRsaBits));
    }
    default:
      return bad_request("its key is neither EC, nor Ed25519, nor RSA");
  }
}

// Nanoseconds since the epoch; INT64_MAX for a time that does not fit.
int64_t time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return INT64_MAX;
  const int64_t seconds = timegm(&parts);
  return seconds > INT64_MAX / kNanosPerSecond ? INT64_MAX : seconds * kNanosPerSecond;
}

std::string text_of(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

std::string address_of(const ASN1_STRING* bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = ASN1_STRING_length(bytes) == 4 ? AF_INET : AF_INET6;
  if (family == AF_INET6 && ASN1_STRING_length(bytes) != 16) return "";
  return inet_ntop(family, ASN1_STRING_get0_data(bytes), text.data(), text.size()) == nullptr ? "" : text.data();
}

void read_names(X509* certificate, CertificateFacts& facts) {
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* const name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_URI) facts.uris.push_back(text_of(name->d.uniformResourceIdentifier));
    if (name->type == GEN_DNS) facts.names.push_back(text_of(name->d.dNSName));
    if (name->type == GEN_IPADD) facts.names.push_back(address_of(name->d.iPAddress));
  }
}

}  // namespace

std::string sha256_hex(std::string_view bytes) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), digest.data());
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool equal_secrets(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Result<PrivateKey> PrivateKey::generate() {
  deny_memory_dumps();
  auto impl = std::make_shared<Impl>();
  impl->key.reset(EVP_EC_gen("P-256"));
  if (impl->key == nullptr) return openssl_error(Code::kInternal, "making a key");
  return PrivateKey(std::move(impl));
}

Result<PrivateKey> PrivateKey::from_pem(std::string_view pem) {
  deny_memory_dumps();
  ERR_clear_error();
  const auto bio = bio_over(pem);
  auto impl = std::make_shared<Impl>();
  // The empty password turns an encrypted key into an error; without it, OpenSSL would prompt for one.
  impl->key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
  if (impl->key == nullptr) return openssl_error(Code::kInvalidArgument, "no private key without a password");
  return PrivateKey(std::move(impl));
}

std::string PrivateKey::private_pem() const {
  // A secure BIO clears its memory when it is freed.
  const Owned<BIO> bio(BIO_new(BIO_s_secmem()));
  PEM_write_bio_PKCS8PrivateKey(bio.get(), impl_->key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return bio_text(bio.get());
}

std::string PrivateKey::public_hash() const {
  X509_PUBKEY* key = nullptr;
  X509_PUBKEY_set(&key, impl_->key.get());
  std::string hash = key_hash_of(key);
  X509_PUBKEY_free(key);
  return hash;
}

Result<std::string> PrivateKey::request() const {
  const Owned<X509_REQ> request(X509_REQ_new());
  X509_REQ_set_version(request.get(), X509_REQ_VERSION_1);
  if (X509_REQ_set_pubkey(request.get(), impl_->key.get()) != 1 ||
      X509_REQ_sign(request.get(), impl_->key.get(), EVP_sha256()) == 0) {
    return openssl_error(Code::kInternal, "making a certificate request");
  }
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_REQ(request.get(), &bytes);
  std::string der(reinterpret_cast<const char*>(bytes), static_cast<size_t>(std::max(size, 0)));
  OPENSSL_free(bytes);
  return der;
}

Result<RequestFacts> check_request(std::string_view der) {
  if (der.empty()) return bad_request("it is missing");
  if (der.size() > kMaxRequestBytes) {
    return bad_request(fmt::format("it has {} bytes, the limit is {}", der.size(), kMaxRequestBytes));
  }
  ERR_clear_error();
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const auto* const end = at + der.size();
  const Owned<X509_REQ> request(d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())));
  if (request == nullptr) {
    ERR_clear_error();
    return bad_request("it is not PKCS#10 in DER");
  }
  if (at != end) return bad_request("bytes follow after its end");
  EVP_PKEY* const key = X509_REQ_get0_pubkey(request.get());
  const Status good = check_key(key);
  const bool signed_by_key = good && X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!good) return good.error();
  if (!signed_by_key) return bad_request("it is not signed by its key");
  return RequestFacts{key_hash_of(X509_REQ_get_X509_PUBKEY(request.get()))};
}

Result<CertificateFacts> read_certificate(std::string_view der) {
  ERR_clear_error();
  const Owned<X509> certificate = parse_certificate(der);
  if (certificate == nullptr) {
    ERR_clear_error();
    return Error(Code::kInvalidArgument, "certificate: it is not X.509 in DER");
  }
  CertificateFacts facts;
  facts.serial = serial_of(certificate.get());
  facts.not_before_ns = time_of(X509_get0_notBefore(certificate.get()));
  facts.not_after_ns = time_of(X509_get0_notAfter(certificate.get()));
  facts.key_hash = key_hash_of(X509_get_X509_PUBKEY(certificate.get()));
  facts.is_ca = X509_check_ca(certificate.get()) == 1;
  read_names(certificate.get(), facts);
  ERR_clear_error();
  return facts;
}

bool is_signed_by(std::string_view certificate, std::string_view issuer) {
  const Owned<X509> below = parse_certificate(certificate);
  const Owned<X509> above = parse_certificate(issuer);
  const bool is = below != nullptr && above != nullptr && X509_check_issued(above.get(), below.get()) == X509_V_OK &&
                  X509_verify(below.get(), X509_get0_pubkey(above.get())) == 1;
  ERR_clear_error();
  return is;
}

std::string certificate_pem(std::string_view der) {
  const Owned<X509> certificate = parse_certificate(der);
  if (certificate == nullptr) return "";
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate.get());
  return bio_text(bio.get());
}

Result<std::vector<std::string>> certificates_of(std::string_view pem) {
  ERR_clear_error();
  const auto bio = bio_over(pem);
  std::vector<std::string> found;
  while (const Owned<X509> certificate{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    found.push_back(der_of(certificate.get()));
  }
  ERR_clear_error();
  if (found.empty()) return Error(Code::kInvalidArgument, "no certificate in it");
  return found;
}

}  // namespace monitor::identity
