// Owners of OpenSSL's objects and OpenSSL's errors as text, for the .cc files of this folder.
#pragma once

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::identity {

struct OpenSslFree {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
  void operator()(X509_NAME* name) const { X509_NAME_free(name); }
  void operator()(X509_REVOKED* entry) const { X509_REVOKED_free(entry); }
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
  void operator()(ASN1_STRING* text) const { ASN1_STRING_free(text); }  // numbers and times are ASN1_STRINGs, too
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
template <typename T>
using Owned = std::unique_ptr<T, OpenSslFree>;

// "WHAT: OpenSSL's reasons". Empties OpenSSL's queue of errors.
Error openssl_error(Code code, const std::string& what);
// What was written to a memory BIO.
std::string bio_text(BIO* bio);
// A read-only BIO over `bytes`, which must outlive it.
Owned<BIO> bio_over(std::string_view bytes);
// nullptr if `der` is not exactly one certificate.
Owned<X509> parse_certificate(std::string_view der);
std::string der_of(X509* certificate);
// SHA-256 of the SubjectPublicKeyInfo, in hexadecimal.
std::string key_hash_of(const X509_PUBKEY* key);
// The certificate's serial number, in lower-case hexadecimal.
std::string serial_of(const X509* certificate);

}  // namespace monitor::identity
