// EnrollmentStore: decides who gets a certificate of the built-in CA, and stores join tokens, issued certificates and
// revocations. Several processes may use one folder: each operation reads the files, changes them and replaces them
// atomically under a lock, and is complete on disk when it returns.
//
// Files in the CA's folder, all 0600: tokens.json, issued/<agent-id>.json, revoked.json, crl.pem (the same revocations
// for other programs), lock.
//
// Rules for tokens:
// - A token admits agents whose id matches its pattern, until it expires, is revoked, or has been used as often as it
// may.
// - A request with the same token, agent id and key is a repetition: the agent did not receive the reply. It does not
//   count as a use. Only the owner of the key can benefit from the reply.
// - A token with a wildcard never replaces an agent that has a valid certificate under another key: the holder of a
//   token for web-* must not be able to impersonate an existing web-7.
// - A token made before an agent was revoked cannot join that agent again.
//
// Thread-safe. Every operation blocks for the disk, and up to 5 s for the lock (then kUnavailable). Constructor
// arguments must outlive it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/random.h"
#include "base/result.h"
#include "identity/ca/authority.h"
#include "identity/ca/join_token.h"
#include "identity/ca/records.h"

namespace monitor::identity {

struct TokenSpec {
  static constexpr int64_t kLeastLife = kNanosPerSecond;
  static constexpr int64_t kMostLife = 30 * kDay;
  static constexpr uint64_t kMostUses = 1000;

  std::string pattern;
  int64_t life_ns = kDay;
  uint64_t max_uses = 1;
};

// Why no certificate was issued.
struct Refusal {
  std::string reason;  // one word for logs and metrics: "expired"
  Error error;         // for the agent
};
using EnrollmentResult = std::variant<IssuedCertificate, Refusal>;

struct AgentRevocation {
  size_t certificates = 0;          // valid certificates that are now revoked
  std::vector<std::string> tokens;  // usable tokens that match the agent's id and may also admit other ids
  // The list of the agent's certificates could not be read. A server with this CA refuses all of them; the CRL does not
  // contain them, because their serials are unknown.
  bool unlisted = false;
  std::vector<Error> failures;  // what could not be done; servers with this CA refuse the agent all the same
};

class EnrollmentStore {
 public:
  static constexpr size_t kMostTokens = 10'000;

  EnrollmentStore(FileDisk& disk, const Clock& clock, Random& random, const Authority& authority);

  // Returns the token's text, which cannot be read again. kInvalidArgument: the spec is out of bounds.
  Result<JoinToken> create_token(const TokenSpec& spec);
  Result<std::vector<TokenRecord>> tokens();
  // False if there is no such token.
  Result<bool> revoke_token(std::string_view id);

  // `request`: a certificate request (DER).
  EnrollmentResult enroll(const JoinToken& token, const std::string& agent_id, std::string_view request);
  // `serial`: of the certificate that the agent presented.
  EnrollmentResult renew(const std::string& agent_id, std::string_view serial, std::string_view request);

  // Revokes all certificates of the agent. kNotFound: none was issued to it. An error means that nothing was revoked.
  Result<AgentRevocation> revoke_agent(const std::string& agent_id);
  Result<Revocations> revocations();
  // The certificates of one agent that its list has.
  Result<std::vector<IssuedRecord>> issued(const std::string& agent_id);
  // Rewrites crl.pem. Call it periodically: a list expires after the life of an agent's certificate.
  Status refresh_revocation_list();

 private:
  Result<std::unique_ptr<DiskLock>> lock();
  std::string path(std::string_view name) const;
  std::string issued_path(const std::string& agent_id) const;
  Result<std::vector<TokenRecord>> read_tokens();
  Status write_tokens(std::vector<TokenRecord> tokens);
  Result<std::vector<IssuedRecord>> read_issued(const std::string& agent_id);
  Result<Revocations> read_revocations();
  Status write_revocations(Revocations& revocations);
  Status write_revocation_list(const Revocations& revocations);
  void set_aside(const std::string& agent_id, const Error& why, AgentRevocation& result);
  std::optional<Refusal> judge_agent(const TokenRecord& token, const std::string& agent_id);
  EnrollmentResult issue(const std::string& agent_id, std::string_view request, std::vector<IssuedRecord> issued);

  FileDisk& disk_;
  const Clock& clock_;
  Random& random_;
  const Authority& authority_;
  std::mutex mutex_;  // guards random_; the files have their lock
};

}  // namespace monitor::identity
