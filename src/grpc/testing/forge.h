// Forge: certificates, CRLs and TLS peers of any kind, valid or not, for tests of what must be refused. They are
// created in memory when a test needs them, so nothing in the repository expires, and it contains no key.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "grpc/secure_transform.h"

struct evp_pkey_st;
struct x509_st;

namespace monitor::grpc {

// A certificate with its key, and the certificates between it and the root, nearest first.
struct Credentials {
  std::shared_ptr<x509_st> certificate;
  std::shared_ptr<evp_pkey_st> key;
  std::vector<std::shared_ptr<x509_st>> chain = {};

  std::string certificate_pem() const;
  std::string key_pem() const;
};

// By default, the certificate is valid for an hour and names nobody. Times are seconds from now.
struct CertificateSpec {
  std::vector<std::string> common_names = {};
  std::vector<std::string> uris = {};  // any bytes
  std::vector<std::string> dns_names = {};
  std::vector<std::string> emails = {};
  int64_t not_before = -60;
  int64_t not_after = 3600;
  // In the notation of openssl.cnf; empty: no such extension.
  std::string basic_constraints = "critical,CA:FALSE";
  std::string key_usage = "";
  std::string extended_key_usage = "";
  std::string name_constraints = "";
  bool unknown_critical_extension = false;
  const char* digest = "SHA256";
  int rsa_bits = 0;  // 0: P-256
};

// Creates a certificate signed by `issuer`, or self-signed if that is nullptr.
Credentials issue(const CertificateSpec& spec, const Credentials* issuer);
Credentials make_ca(const std::string& name, const Credentials* issuer = nullptr);

// Returns the certificate with the first occurrence of `from` replaced by `to`, which must have the same length. The
// signature is unchanged, and therefore wrong.
Credentials altered(const Credentials& original, std::string_view from, std::string_view to);
// Returns the certificate with a private key that is not its own, as a thief would use it.
Credentials stolen(const Credentials& original);

// Returns a CRL (PEM). Times are seconds from now.
std::string make_crl(const Credentials& issuer, const std::vector<const Credentials*>& revoked,
                     int64_t last_update = -60, int64_t next_update = 3600);

// A TLS client or server that verifies nothing and offers any version and cipher.
struct Reckless {
  const Credentials* credentials = nullptr;  // nullptr: none
  int min_version = 0;                       // 0x0302 is TLS 1.1; 0: any
  int max_version = 0;
  std::string ciphers = "ALL:eNULL:@SECLEVEL=0";
  bool alpn = true;
};
std::shared_ptr<const SecurityContext> reckless_client(const Reckless& options);
std::shared_ptr<const SecurityContext> reckless_server(const Reckless& options);

}  // namespace monitor::grpc
