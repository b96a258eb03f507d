// Forge: certificates, CRLs and TLS peers of any kind, valid or not, for tests of what is refused. Made in memory when
// a test needs them: nothing in the repository expires, and no key is kept in it.
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

// A certificate with its key, and the certificates between it and a root, nearest first.
struct Credentials {
  std::shared_ptr<x509_st> certificate;
  std::shared_ptr<evp_pkey_st> key;
  std::vector<std::shared_ptr<x509_st>> chain = {};

  std::string certificate_pem() const;
  std::string key_pem() const;
};

// The defaults make a certificate that is valid for an hour and says nothing. Times are seconds from now.
struct CertificateSpec {
  std::vector<std::string> common_names = {};
  std::vector<std::string> uris = {};  // any bytes
  std::vector<std::string> dns_names = {};
  std::vector<std::string> emails = {};
  int64_t not_before = -60;
  int64_t not_after = 3600;
  // In the notation of openssl.cnf; empty: without the extension.
  std::string basic_constraints = "critical,CA:FALSE";
  std::string key_usage = "";
  std::string extended_key_usage = "";
  std::string name_constraints = "";
  bool unknown_critical_extension = false;
  const char* digest = "SHA256";
  int rsa_bits = 0;  // 0: P-256
};

// Signed by `issuer`, or by itself without one.
Credentials issue(const CertificateSpec& spec, const Credentials* issuer);
Credentials make_ca(const std::string& name, const Credentials* issuer = nullptr);

// The same certificate with the first occurrence of `from` replaced, of the same length; the signature stays.
Credentials altered(const Credentials& original, std::string_view from, std::string_view to);
// The same certificate without its private key: another is used in its place.
Credentials stolen(const Credentials& original);

// PEM. Times are seconds from now.
std::string make_crl(const Credentials& issuer, const std::vector<const Credentials*>& revoked,
                     int64_t last_update = -60, int64_t next_update = 3600);

// A TLS client or server that checks nothing and offers anything.
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
