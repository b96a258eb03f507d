// The agent's certificate on disk, and the files needed to get one. Files in a folder of the agent, all 0600:
//
//   identity.pem  the private key, followed by the certificate and its chain; replaced as a whole
//   ca.pem        the CAs that servers' certificates are signed by
//   pending.key   the key of an enrollment whose answer has not been stored yet
//   joined-by     the id of the token that the agent has joined with
//
// Functions block for the disk. A value is immutable.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/disk.h"
#include "base/result.h"
#include "identity/ca/credentials.h"
#include "identity/enrollment/messages.h"

namespace monitor::identity {

struct IdentityPaths {
  explicit IdentityPaths(const std::string& folder);
  std::string identity;
  std::string ca;
  std::string pending;
  std::string joined_by;
};

struct StoredIdentity {
  std::string serial;
  int64_t not_before_ns = 0;
  int64_t not_after_ns = 0;
  std::string joined_by;  // a token's id; empty: unknown

  int64_t life_ns() const { return not_after_ns - not_before_ns; }
};

// Returns nothing if the agent has never joined. kDataLoss: the files are damaged or belong to another agent.
Result<std::optional<StoredIdentity>> load_identity(Disk& disk, const std::string& folder, const std::string& agent_id);

// Returns the key for an enrollment. If a key is pending, returns that one, so that a repeated request uses the same
// key. Otherwise creates a key and stores it.
Result<PrivateKey> pending_key(Disk& disk, const std::string& folder);

// Checks the server's reply: the certificate must be for this key and this agent, valid now, and signed by one of the
// CAs. `pin`: the SHA-256 of the CA's public key; empty: any CA, because the connection was authenticated with a stored
// CA. kPermissionDenied says what is wrong.
Result<StoredIdentity> check_reply(const EnrollReply& reply, const std::string& agent_id, const PrivateKey& key,
                                   const std::string& pin, int64_t now_ns);
// Stores a checked reply. The identity is replaced last and atomically, so the old one remains complete after a failure
// or a crash. `joined_by` is empty for a renewal.
Status store_identity(Disk& disk, const std::string& folder, const EnrollReply& reply, const PrivateKey& key,
                      const std::string& joined_by);

}  // namespace monitor::identity
