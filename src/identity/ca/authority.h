// Authority: the built-in certificate authority. It owns a key and a certificate in a folder, and signs other
// certificates with them. Who may get a certificate is decided elsewhere (enrollment_store.h).
//
// Files in the folder: ca.key (PKCS#8, secret) and ca.pem (the certificate). Both are created when neither exists, and
// never overwritten. If only ca.pem is missing, a new one is made for the same key, which renews the CA. The caller has
// checked that nobody else can read or write the folder (check_private_folder()).
//
// No certificate outlives that of the CA, because nobody accepts it afterwards.
//
// Thread-safe. Disk, clock and random must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/ca/credentials.h"

namespace monitor::identity {

constexpr int64_t kDay = 24 * 3600 * kNanosPerSecond;

struct AuthorityOptions {
  std::string folder;
  std::string trust_domain;                     // of the agents' identities, spiffe://<trust-domain>/agent/<id>
  int64_t agent_life_ns = 7 * kDay;             // how long an agent's certificate is valid
  int64_t server_life_ns = 30 * kDay;           // how long the server's own certificate is valid
  int64_t authority_life_ns = 10 * 365 * kDay;  // how long the CA's certificate is valid
};

struct IssuedCertificate {
  std::string der;
  std::string serial;
  std::string key_hash;
  int64_t expires_ns = 0;
};

struct RevokedSerial {
  std::string serial;
  int64_t revoked_ns = 0;
};

// A DNS name without a wildcard, or a numeric address. kInvalidArgument quotes it.
Status check_server_name(const std::string& name);

// Checks that the folder belongs to this user and that nobody else may enter it. If it contains `ca.key`, that must be
// a regular file of this user that nobody else may read or write. Creates the folder (0700) if it is missing. Errors
// (kPermissionDenied) say what to do.
Status check_private_folder(Disk& disk, const std::string& folder);

class Authority {
 public:
  // kFailedPrecondition: one of the two files is missing or they do not belong together; kNotFound with `create` off.
  enum class Create { kIfMissing, kNever };
  static Result<std::unique_ptr<Authority>> open(FileDisk& disk, const Clock& clock, Random& random,
                                                 AuthorityOptions options, Create create = Create::kIfMissing);
  ~Authority();
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  // SHA-256 of the CA's public key, in hexadecimal.
  const std::string& pin() const { return pin_; }
  // The CA's certificate, DER.
  const std::string& certificate() const { return certificate_; }
  const AuthorityOptions& options() const { return options_; }
  // When the CA's certificate expires.
  int64_t expires_ns() const { return expires_ns_; }
  // Whether it expires so soon that an agent's certificate would be cut short now, or within 30 days.
  bool expires_soon() const;

  // Both: kFailedPrecondition if the CA's certificate has expired.
  //
  // Signs the key of a request that check_request() accepted, for this agent. The id is a valid_name().
  Result<IssuedCertificate> issue_agent(const std::string& agent_id, std::string_view request) const;
  // A certificate of a server for these names: DNS names or numeric addresses. kInvalidArgument for any other name.
  Result<IssuedCertificate> issue_server(const PrivateKey& key, std::span<const std::string> names) const;
  // The list of revoked certificates, PEM, valid for a certificate's life from now.
  Result<std::string> revocation_list(std::span<const RevokedSerial> revoked, uint64_t number) const;

 private:
  struct Template;  // what distinguishes one certificate from another

  Authority(const Clock& clock, Random& random, AuthorityOptions options, PrivateKey key);
  Status load_or_make_certificate(FileDisk& disk);
  Result<std::string> self_sign() const;
  std::string new_serial() const;
  Result<IssuedCertificate> sign(const Template& what) const;

  const Clock& clock_;
  Random& random_;
  mutable std::mutex mutex_;  // guards random_
  const AuthorityOptions options_;
  PrivateKey key_;
  std::string pin_;
  std::string certificate_;
  int64_t expires_ns_ = 0;
};

}  // namespace monitor::identity
