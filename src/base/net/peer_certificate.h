// PeerCertificate: what a connection's peer proved by its certificate. Plain data, filled by the transport after it has
// verified the chain; it says nothing about what the peer may do (identity/peer.h).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <vector>

namespace monitor {

// Names one certificate: a CA gives each serial number once.
struct CertificateNumber {
  std::string issuer;  // printable (RFC 2253)
  std::string serial;  // lower-case hexadecimal, an even number of digits
  auto operator<=>(const CertificateNumber&) const = default;
};

struct PeerCertificate {
  // All of them, in the certificate's order. Names may contain any bytes, NUL included.
  std::vector<std::string> common_names;
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
  std::string subject;  // printable, as "CN=web-1,O=Example" (RFC 2253); may be empty
  std::string issuer;
  std::string serial;      // lower-case hexadecimal, an even number of digits
  std::string sha256;      // fingerprint of the DER form, 64 lower-case hexadecimal digits
  int64_t not_before = 0;  // Unix seconds
  int64_t not_after = 0;
  bool ca = false;  // it may sign other certificates
  // The certificates of the CAs above it, nearest first, as they were verified.
  std::vector<CertificateNumber> authorities;

  CertificateNumber number() const { return {issuer, serial}; }
};

}  // namespace monitor
