#include "identity/peer.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "base/text.h"

namespace monitor::identity {

namespace {

constexpr std::string_view kScheme = "spiffe://";
constexpr std::string_view kAgent = "agent";
// Longer names are cut in errors, which reach logs and peers.
constexpr size_t kMaxQuoted = 200;
constexpr size_t kMaxListed = 3;

Error denied(std::string text) { return Error(Code::kPermissionDenied, std::move(text)); }

std::string quoted(std::string_view text) {
  if (text.size() <= kMaxQuoted) return json_quote(text);
  return fmt::format("{}... ({} bytes)", json_quote(text.substr(0, kMaxQuoted)), text.size());
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (size_t i = 0; i < std::min(names.size(), kMaxListed); ++i) text += (i == 0 ? "" : ", ") + quoted(names[i]);
  if (names.size() > kMaxListed) text += fmt::format(" and {} more", names.size() - kMaxListed);
  return text;
}

bool trust_domain_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

Error uri_fault(std::string_view uri, std::string_view fault) {
  return denied(fmt::format("URI {}: {}; expected spiffe://TRUST-DOMAIN/agent/ID", quoted(uri), fault));
}

Result<std::string> id_of_uri(const PeerCertificate& certificate, const IdentityRule& rule) {
  if (certificate.uris.empty()) {
    return denied(fmt::format(
        "it has no URI SAN{}; expected exactly one, spiffe://TRUST-DOMAIN/agent/ID",
        certificate.common_names.empty()
            ? ""
            : ", and --identity-from cn is not set for its common name " + listed(certificate.common_names)));
  }
  if (certificate.uris.size() > 1) {
    return denied(
        fmt::format("it has {} URI SANs, {}; expected exactly one", certificate.uris.size(), listed(certificate.uris)));
  }
  auto uri = parse_agent_uri(certificate.uris.front());
  if (!uri) return uri.error();
  if (!rule.trust_domain.empty() && uri->trust_domain != rule.trust_domain) {
    return denied(fmt::format("URI {} is of trust domain {}; expected {}", quoted(certificate.uris.front()),
                              uri->trust_domain, rule.trust_domain));
  }
  return std::move(uri->agent_id);
}

Result<std::string> id_of_cn(const PeerCertificate& certificate) {
  const std::vector<std::string>& names = certificate.common_names;
  if (names.size() != 1) {
    return denied(names.empty()
                      ? "it has no common name"
                      : fmt::format("it has {} common names, {}; expected exactly one", names.size(), listed(names)));
  }
  if (valid_name(names.front())) return names.front();
  return denied(
      fmt::format("its common name {} is no agent id; expected 1 to 128 of [A-Za-z0-9._-]", quoted(names.front())));
}

}  // namespace

Result<IdentityFrom> parse_identity_from(std::string_view text) {
  for (const IdentityFrom from : {IdentityFrom::kSanUri, IdentityFrom::kCn, IdentityFrom::kNone}) {
    if (text == identity_from_name(from)) return from;
  }
  return Error(Code::kInvalidArgument, fmt::format("got {}, expected san-uri, cn or none", quoted(text)));
}

const char* identity_from_name(IdentityFrom from) {
  switch (from) {
    case IdentityFrom::kSanUri:
      return "san-uri";
    case IdentityFrom::kCn:
      return "cn";
    case IdentityFrom::kNone:
      return "none";
  }
  return "";
}

Status check_trust_domain(std::string_view text) {
  if (!text.empty() && text.size() <= kMaxTrustDomainBytes && std::ranges::all_of(text, trust_domain_character)) {
    return {};
  }
  return Error(Code::kInvalidArgument,
               fmt::format("trust domain {}: expected 1 to {} of [a-z0-9._-]", quoted(text), kMaxTrustDomainBytes));
}

std::string agent_uri(std::string_view trust_domain, std::string_view agent_id) {
  return fmt::format("{}{}/{}/{}", kScheme, trust_domain, kAgent, agent_id);
}

Result<AgentUri> parse_agent_uri(std::string_view uri) {
  if (uri.size() > kMaxUriBytes) return uri_fault(uri, fmt::format("it is longer than {} bytes", kMaxUriBytes));
  if (!uri.starts_with(kScheme)) return uri_fault(uri, "its scheme is not spiffe");
  const std::vector<std::string_view> parts = split(uri.substr(kScheme.size()), '/');
  if (!check_trust_domain(parts[0])) {
    return uri_fault(uri, fmt::format("its trust domain is not 1 to {} of [a-z0-9._-]", kMaxTrustDomainBytes));
  }
  if (parts.size() != 3 || parts[1] != kAgent) return uri_fault(uri, "its path is not /agent/ID");
  if (!valid_name(parts[2])) return uri_fault(uri, "its agent id is not 1 to 128 of [A-Za-z0-9._-]");
  return AgentUri{std::string(parts[0]), std::string(parts[2])};
}

Result<std::string> agent_id_of(const PeerCertificate& certificate, const IdentityRule& rule) {
  if (rule.from == IdentityFrom::kNone) {
    return Error(Code::kFailedPrecondition, "certificates do not name agents (--identity-from none)");
  }
  auto id = certificate.ca                       ? Result<std::string>(denied("it is the certificate of a CA"))
            : rule.from == IdentityFrom::kSanUri ? id_of_uri(certificate, rule)
                                                 : id_of_cn(certificate);
  if (id) return id;
  return id.error().with_context(
      fmt::format("the certificate (serial {}) identifies no agent", quoted(certificate.serial)));
}

}  // namespace monitor::identity
