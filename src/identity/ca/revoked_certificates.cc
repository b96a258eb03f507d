#include "identity/ca/revoked_certificates.h"

#include <utility>

namespace monitor::identity {

void RevokedCertificates::set(const Revocations& revocations,
                              const std::map<std::string, Serials, std::less<>>& reissued) {
  Serials serials;
  for (const RevokedCertificate& one : revocations.certificates) serials.insert(one.serial);
  std::map<std::string, Unlisted, std::less<>> unlisted;
  const std::lock_guard lock(mutex_);
  for (const RevokedAgent& one : revocations.agents) {
    if (!one.unlisted) continue;
    Unlisted& now = unlisted[one.agent_id];
    now.revoked_ns = one.revoked_ns;
    // A certificate may have been issued since the caller read the files.
    const auto before = unlisted_.find(one.agent_id);
    if (before != unlisted_.end() && before->second.revoked_ns == one.revoked_ns) {
      now.reissued = before->second.reissued;
    }
    if (const auto found = reissued.find(one.agent_id); found != reissued.end()) {
      now.reissued.insert(found->second.begin(), found->second.end());
    }
  }
  serials_ = std::move(serials);
  unlisted_ = std::move(unlisted);
}

void RevokedCertificates::add_issued(const std::string& agent_id, const std::string& serial) {
  const std::lock_guard lock(mutex_);
  if (const auto found = unlisted_.find(agent_id); found != unlisted_.end()) found->second.reissued.insert(serial);
}

bool RevokedCertificates::contains(std::string_view agent_id, std::string_view serial) const {
  const std::lock_guard lock(mutex_);
  if (serials_.contains(serial)) return true;
  const auto found = unlisted_.find(agent_id);
  return found != unlisted_.end() && !found->second.reissued.contains(serial);
}

}  // namespace monitor::identity
