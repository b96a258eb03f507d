#include "identity/enrollment/stored_identity.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "base/time_format.h"
#include "identity/peer.h"

namespace monitor::identity {

namespace {

constexpr size_t kMaxFileBytes = size_t{256} * 1024;

Error wrong(const std::string& what) { return Error(Code::kPermissionDenied, "the server's answer: " + what); }

bool names_agent(const CertificateFacts& facts, const std::string& agent_id) {
  if (facts.uris.size() != 1) return false;
  const auto uri = parse_agent_uri(facts.uris.front());
  return uri && uri->agent_id == agent_id;
}

Error damaged(const std::string& path, const std::string& what) {
  return Error(Code::kDataLoss, fmt::format("{}: {}", path, what));
}

// The text of an optional file; empty if it does not exist.
std::string small_file(Disk& disk, const std::string& path) {
  const auto text = disk.read_file(path, kMaxFileBytes);
  return text ? std::string(trim(*text)) : "";
}

}  // namespace

IdentityPaths::IdentityPaths(const std::string& folder)
    : identity(folder + "/identity.pem"),
      ca(folder + "/ca.pem"),
      pending(folder + "/pending.key"),
      joined_by(folder + "/joined-by") {}

Result<std::optional<StoredIdentity>> load_identity(Disk& disk, const std::string& folder,
                                                    const std::string& agent_id) {
  const IdentityPaths paths(folder);
  const auto pem = disk.read_file(paths.identity, kMaxFileBytes);
  if (!pem && pem.error().code() == Code::kNotFound) return std::optional<StoredIdentity>();
  if (!pem) return pem.error();
  const auto key = PrivateKey::from_pem(*pem);
  if (!key) return damaged(paths.identity, key.error().message());
  const auto chain = certificates_of(*pem);
  if (!chain) return damaged(paths.identity, chain.error().message());
  const auto facts = read_certificate(chain->front());
  if (!facts) return damaged(paths.identity, facts.error().message());
  if (facts->key_hash != key->public_hash()) return damaged(paths.identity, "its key is not that of its certificate");
  if (!names_agent(*facts, agent_id)) {
    return damaged(paths.identity,
                   fmt::format("it identifies {}, not agent {}",
                               facts->uris.empty() ? "nobody" : json_quote(facts->uris.front()), agent_id));
  }
  const auto ca = disk.read_file(paths.ca, kMaxFileBytes);
  if (!ca) return ca.error().code() == Code::kNotFound ? damaged(paths.ca, "it is missing") : ca.error();
  if (const auto authorities = certificates_of(*ca); !authorities) {
    return damaged(paths.ca, authorities.error().message());
  }
  return std::optional(
      StoredIdentity{facts->serial, facts->not_before_ns, facts->not_after_ns, small_file(disk, paths.joined_by)});
}

Result<PrivateKey> pending_key(Disk& disk, const std::string& folder) {
  const IdentityPaths paths(folder);
  const auto pem = disk.read_file(paths.pending, kMaxFileBytes);
  if (!pem && pem.error().code() != Code::kNotFound) return pem.error();
  if (pem) {
    if (auto key = PrivateKey::from_pem(*pem)) return key;
    // The file is damaged, but no certificate was stored for its key, so a new key can replace it.
  }
  auto key = PrivateKey::generate();
  if (!key) return key;
  if (const Status written = disk.write_file(paths.pending, key->private_pem()); !written) return written.error();
  return key;
}

Result<StoredIdentity> check_reply(const EnrollReply& reply, const std::string& agent_id, const PrivateKey& key,
                                   const std::string& pin, int64_t now_ns) {
  if (reply.chain.empty()) return wrong("it has no certificate");
  if (reply.authorities.empty()) return wrong("it names no CA");
  const auto facts = read_certificate(reply.chain.front());
  if (!facts) return wrong(facts.error().message());
  if (facts->key_hash != key.public_hash()) return wrong("the certificate is for another key");
  if (!names_agent(*facts, agent_id)) return wrong("the certificate is not for agent " + agent_id);
  if (now_ns >= facts->not_after_ns || now_ns < facts->not_before_ns) {
    return wrong(fmt::format("the certificate is valid from {} to {}, and it is {} here: compare both clocks",
                             format_rfc3339(facts->not_before_ns, 0), format_rfc3339(facts->not_after_ns, 0),
                             format_rfc3339(now_ns, 0)));
  }
  bool pinned = pin.empty();
  for (const std::string& authority : reply.authorities) {
    const auto ca = read_certificate(authority);
    if (!ca || !ca->is_ca) return wrong("one of its CA certificates does not belong to a CA");
    pinned = pinned || ca->key_hash == pin;
  }
  if (!pinned) return wrong("none of its CAs has the public key that the join token names");
  const auto has_signed = [&](const std::string& authority) { return is_signed_by(reply.chain.back(), authority); };
  if (std::ranges::none_of(reply.authorities, has_signed)) return wrong("none of its CAs has signed the certificate");
  return StoredIdentity{facts->serial, facts->not_before_ns, facts->not_after_ns, ""};
}

Status store_identity(Disk& disk, const std::string& folder, const EnrollReply& reply, const PrivateKey& key,
                      const std::string& joined_by) {
  const IdentityPaths paths(folder);
  std::string authorities;
  for (const std::string& one : reply.authorities) authorities += certificate_pem(one);
  // Usually, a renewal brings no new CA.
  const auto current = disk.read_file(paths.ca, kMaxFileBytes);
  if (!current || *current != authorities) {
    if (Status written = disk.write_file(paths.ca, authorities); !written) return written;
  }
  if (!joined_by.empty()) {
    if (Status written = disk.write_file(paths.joined_by, joined_by + "\n"); !written) return written;
  }
  std::string identity = key.private_pem();
  for (const std::string& one : reply.chain) identity += certificate_pem(one);
  if (Status written = disk.write_file(paths.identity, identity); !written) return written;
  (void)disk.remove_file(paths.pending);  // if this fails, the next enrollment uses the key again
  return {};
}

}  // namespace monitor::identity
