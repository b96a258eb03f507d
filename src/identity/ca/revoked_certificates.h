// RevokedCertificates: which certificates of the built-in CA a running server refuses. Thread-safe; blocks for nothing.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <string_view>

#include "identity/ca/records.h"

namespace monitor::identity {

class RevokedCertificates {
 public:
  using Serials = std::set<std::string, std::less<>>;

  // Replaces what was set before. `reissued`: for each agent whose certificates were revoked without a list
  // (RevokedAgent::unlisted), the serials that are in its list now.
  void set(const Revocations& revocations, const std::map<std::string, Serials, std::less<>>& reissued);
  // This server has just issued a certificate. Call it before the agent can use it.
  void add_issued(const std::string& agent_id, const std::string& serial);

  // `agent_id`: what the certificate identifies; empty if nobody.
  bool contains(std::string_view agent_id, std::string_view serial) const;

 private:
  struct Unlisted {
    int64_t revoked_ns = 0;
    Serials reissued;  // issued after the revocation
  };

  mutable std::mutex mutex_;
  Serials serials_;                                        // guarded by mutex_
  std::map<std::string, Unlisted, std::less<>> unlisted_;  // guarded by mutex_; by agent
};

}  // namespace monitor::identity
