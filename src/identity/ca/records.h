// The records of the built-in CA and their JSON form in files: join tokens, issued certificates, revocations. Values;
// pure functions. Parsing fails with kDataLoss; a damaged file is never treated as an empty one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::identity {

struct TokenUse {
  std::string agent_id;
  std::string key_hash;  // of the certificate's public key
  int64_t at_ns = 0;
};

struct TokenRecord {
  std::string id;
  std::string secret_hash;  // SHA-256; the secret itself is not stored
  std::string pattern;      // of agent ids, with * and ?
  int64_t created_ns = 0;
  int64_t expires_ns = 0;
  uint64_t max_uses = 1;
  std::vector<TokenUse> uses;
  uint64_t refused = 0;    // attempts with the right secret that were refused
  int64_t revoked_ns = 0;  // 0: not revoked

  bool has_wildcard() const { return pattern.find_first_of("*?") != std::string::npos; }
  // "usable", "used", "expired" or "revoked".
  const char* state(int64_t now_ns) const;
};

struct IssuedRecord {
  std::string serial;
  std::string key_hash;
  int64_t issued_ns = 0;
  int64_t expires_ns = 0;
  int64_t revoked_ns = 0;  // 0: not revoked
};

struct RevokedAgent {
  std::string agent_id;
  int64_t revoked_ns = 0;
  // The list of its certificates could not be read, so that all that are not in its new list are revoked.
  bool unlisted = false;
};

struct RevokedCertificate {
  std::string serial;
  std::string agent_id;
  int64_t revoked_ns = 0;
  int64_t expires_ns = 0;
};

struct Revocations {
  uint64_t number = 0;  // grows with every change
  std::vector<RevokedAgent> agents;
  std::vector<RevokedCertificate> certificates;

  // When the agent was last revoked; 0: never, or too long ago to matter.
  int64_t agent_revoked_ns(std::string_view agent_id) const;
  // Whether it was revoked without a list of its certificates.
  bool is_unlisted(std::string_view agent_id) const;
  bool has_serial(std::string_view serial) const;
};

std::string format_tokens(const std::vector<TokenRecord>& tokens);
Result<std::vector<TokenRecord>> parse_tokens(std::string_view text);
std::string format_issued(const std::vector<IssuedRecord>& issued);
Result<std::vector<IssuedRecord>> parse_issued(std::string_view text);
std::string format_revocations(const Revocations& revocations);
Result<Revocations> parse_revocations(std::string_view text);

}  // namespace monitor::identity
