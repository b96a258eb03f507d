// The agent that a verified certificate identifies. Pure functions.
//
// By default, the identity is the certificate's only URI SAN, spiffe://TRUST-DOMAIN/agent/ID. The rules are those of
// X.509-SVIDs (https://spiffe.io/docs/latest/spiffe-specs/), without any normalization: a URI is accepted exactly as
// written, or not at all. Common names identify an agent only if an operator enables this.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/net/peer_certificate.h"
#include "base/result.h"

namespace monitor::identity {

enum class IdentityFrom {
  kSanUri,  // the only URI SAN
  kCn,      // the only common name is the agent id
  kNone,    // a certificate admits any agent id
};

struct IdentityRule {
  IdentityFrom from = IdentityFrom::kSanUri;
  std::string trust_domain;  // kSanUri: the only one that is accepted; empty: any
};

struct AgentUri {
  std::string trust_domain;
  std::string agent_id;
};

// SPIFFE's limits.
inline constexpr size_t kMaxUriBytes = 2048;
inline constexpr size_t kMaxTrustDomainBytes = 255;

// "san-uri", "cn", "none".
Result<IdentityFrom> parse_identity_from(std::string_view text);
const char* identity_from_name(IdentityFrom from);

// 1 to 255 of [a-z0-9._-]; kInvalidArgument says what is wrong.
Status check_trust_domain(std::string_view text);

// spiffe://TRUST-DOMAIN/agent/ID; both must be valid.
std::string agent_uri(std::string_view trust_domain, std::string_view agent_id);
// The reverse of agent_uri(). kPermissionDenied quotes the URI and names the wrong part.
Result<AgentUri> parse_agent_uri(std::string_view uri);

// Returns the agent id. kPermissionDenied says what was found instead, and names the certificate. kFailedPrecondition
// for kNone, which gives no id.
Result<std::string> agent_id_of(const PeerCertificate& certificate, const IdentityRule& rule);

}  // namespace monitor::identity
