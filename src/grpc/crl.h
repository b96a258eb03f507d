// The entries of certificate revocation lists, for connections that began before a list changed. OpenSSL applies the
// lists to handshakes by itself (tls.h).
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <utility>

#include "base/net/peer_certificate.h"
#include "base/result.h"

namespace monitor::grpc {

// Issuer and serial number, as PeerCertificate has them.
using RevokedEntries = std::set<std::pair<std::string, std::string>>;

// Of all lists in a PEM file. Errors name the file. Signatures are not verified: whoever writes the file is trusted.
Result<RevokedEntries> read_crl(const std::string& file);

// What was read last. Thread-safe.
class RevokedByCrl {
 public:
  void set(RevokedEntries entries);
  bool contains(const PeerCertificate& certificate) const { return contains(certificate.issuer, certificate.serial); }
  bool contains(const std::string& issuer, const std::string& serial) const;

 private:
  mutable std::mutex mutex_;
  RevokedEntries entries_;  // guarded by mutex_
};

}  // namespace monitor::grpc
