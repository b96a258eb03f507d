// The entries of certificate revocation lists, for connections that began before a list changed. OpenSSL applies the
// lists to handshakes by itself (tls.h).
#pragma once

#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "base/net/peer_certificate.h"
#include "base/result.h"

namespace monitor::grpc {

using RevokedEntries = std::set<CertificateNumber>;

// Of all lists in a PEM file. Errors name the file. Signatures are not verified: whoever writes the file is trusted.
Result<RevokedEntries> read_crl(const std::string& file);

// What was read last. Thread-safe.
class RevokedByCrl {
 public:
  void set(RevokedEntries entries);
  // Whether a list contains the certificate, or that of a CA above it.
  bool contains(const PeerCertificate& certificate) const {
    return contains(certificate.number(), certificate.authorities);
  }
  bool contains(const CertificateNumber& certificate, const std::vector<CertificateNumber>& authorities) const;

 private:
  mutable std::mutex mutex_;
  RevokedEntries entries_;  // guarded by mutex_
};

}  // namespace monitor::grpc
