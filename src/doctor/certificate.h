// Certificates, as far as checks need them: who, until when, for which names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::doctor {

struct CertificateFacts {
  std::string subject;  // CN=web-1
  std::string issuer;
  std::vector<std::string> names;  // DNS names, addresses and URIs
  int64_t not_before_ns = 0;
  int64_t not_after_ns = 0;
  bool authority = false;  // a CA's

  std::string name() const { return subject.empty() && !names.empty() ? names.front() : subject; }
};

// All certificates of a PEM text, at most 100. kInvalidArgument if there is none, or one is malformed.
Result<std::vector<CertificateFacts>> parse_certificates(std::string_view pem);
// The same for certificate revocation lists: `subject` is their issuer, and they are valid until the next update, or
// without an end.
Result<std::vector<CertificateFacts>> parse_revocation_lists(std::string_view pem);
// True if the private key belongs to the first certificate. kInvalidArgument if either cannot be read.
Result<bool> key_matches(std::string_view certificate_pem, std::string_view key_pem);

// What a peer presented in a TLS handshake that ignored faults.
struct PeerChain {
  std::vector<CertificateFacts> chain;  // the peer's own first
  std::string fault;                    // why verification fails; empty: the chain, the name and the times are good
  std::string protocol;                 // TLSv1.3
};

}  // namespace monitor::doctor
