#include "identity/ca/enrollment_store.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <iterator>
#include <optional>
#include <thread>
#include <utility>

#include "base/text.h"
#include "base/time_format.h"
#include "identity/ca/credentials.h"

namespace monitor::identity {

namespace {

constexpr size_t kMaxFileBytes = size_t{64} << 20;
constexpr size_t kMaxPattern = 128;
// An expired token stays listed for this long, and a revoked agent is remembered for this long. It exceeds the life of
// every token created before the revocation, so none of them can join the agent again.
constexpr int64_t kRemembered = TokenSpec::kMostLife + kDay;
// A revocation is kept beyond the certificate's expiry: connections may outlive it, and a clock may be set back.
constexpr int64_t kKeptBeyondExpiry = 7 * kDay;
// For an agent that was revoked without a list of its certificates, whose expiry is therefore unknown. None lives
// longer than 90 days (--certificate-life).
constexpr int64_t kUnlistedRemembered = 90 * kDay + kKeptBeyondExpiry;
// Valid certificates of one agent. One that renews has about 30 at most, of the shortest life.
constexpr ptrdiff_t kMostValid = 64;
constexpr int64_t kLockPatience = 5 * kNanosPerSecond;
constexpr std::chrono::milliseconds kLockRetry(5);

bool valid_pattern(std::string_view pattern) {
  return !pattern.empty() && pattern.size() <= kMaxPattern && std::ranges::all_of(pattern, [](char c) {
    return c == '*' || c == '?' || valid_name(std::string_view(&c, 1)) || c == '.';
  });
}

Refusal refuse(std::string reason, Code code, std::string text) {
  return {std::move(reason), Error(code, std::move(text))};
}

Refusal broken(const Error& why) { return {"internal", why.with_context("the server's CA")}; }

Status check(const TokenSpec& spec) {
  if (!valid_pattern(spec.pattern)) {
    return Error(Code::kInvalidArgument, fmt::format("agent pattern: got {}, expected 1 to 128 of [A-Za-z0-9._-*?]",
                                                     json_quote(spec.pattern.substr(0, 160))));
  }
  if (spec.life_ns < TokenSpec::kLeastLife || spec.life_ns > TokenSpec::kMostLife) {
    return Error(Code::kInvalidArgument,
                 fmt::format("life of a token: got {}, expected {} to {}", format_duration(spec.life_ns),
                             format_duration(TokenSpec::kLeastLife), format_duration(TokenSpec::kMostLife)));
  }
  if (spec.max_uses < 1 || spec.max_uses > TokenSpec::kMostUses) {
    return Error(Code::kInvalidArgument,
                 fmt::format("uses of a token: got {}, expected 1 to {}", spec.max_uses, TokenSpec::kMostUses));
  }
  return {};
}

}  // namespace

EnrollmentStore::EnrollmentStore(FileDisk& disk, const Clock& clock, Random& random, const Authority& authority)
    : disk_(disk), clock_(clock), random_(random), authority_(authority) {}

std::string EnrollmentStore::path(std::string_view name) const {
  return fmt::format("{}/{}", authority_.options().folder, name);
}

std::string EnrollmentStore::issued_path(const std::string& agent_id) const {
  return path("issued/" + agent_id + ".json");
}

// Operations are short and rare, so the lock is soon released, unless its holder's process was stopped (SIGSTOP).
Result<std::unique_ptr<DiskLock>> EnrollmentStore::lock() {
  const auto until = std::chrono::steady_clock::now() + std::chrono::nanoseconds(kLockPatience);
  while (true) {
    auto held = disk_.lock_file(path("lock"), "the CA's folder " + authority_.options().folder);
    if (held || held.error().code() != Code::kAborted) return held;
    if (std::chrono::steady_clock::now() > until) return Error(Code::kUnavailable, held.error().message());
    std::this_thread::sleep_for(kLockRetry);
  }
}

Result<std::vector<TokenRecord>> EnrollmentStore::read_tokens() {
  const auto text = disk_.read_file(path("tokens.json"), kMaxFileBytes);
  if (!text && text.error().code() == Code::kNotFound) return std::vector<TokenRecord>();
  if (!text) return text.error();
  auto tokens = parse_tokens(*text);
  return tokens ? std::move(tokens) : tokens.error().with_context(path("tokens.json"));
}

Status EnrollmentStore::write_tokens(std::vector<TokenRecord> tokens) {
  const int64_t now = clock_.wall_ns();
  std::erase_if(tokens, [now](const TokenRecord& one) { return one.expires_ns + kRemembered < now; });
  return disk_.write_file(path("tokens.json"), format_tokens(tokens));
}

Result<std::vector<IssuedRecord>> EnrollmentStore::read_issued(const std::string& agent_id) {
  const auto text = disk_.read_file(issued_path(agent_id), kMaxFileBytes);
  if (!text && text.error().code() == Code::kNotFound) return std::vector<IssuedRecord>();
  if (!text) return text.error();
  auto issued = parse_issued(*text);
  return issued ? std::move(issued) : issued.error().with_context(issued_path(agent_id));
}

Result<Revocations> EnrollmentStore::read_revocations() {
  const auto text = disk_.read_file(path("revoked.json"), kMaxFileBytes);
  if (!text && text.error().code() == Code::kNotFound) return Revocations();
  if (!text) return text.error();
  auto revoked = parse_revocations(*text);
  return revoked ? std::move(revoked) : revoked.error().with_context(path("revoked.json"));
}

// The server reads the JSON, so the agent is locked out after this.
Status EnrollmentStore::write_revocations(Revocations& revocations) {
  const int64_t now = clock_.wall_ns();
  std::erase_if(revocations.agents, [now](const RevokedAgent& one) {
    return one.revoked_ns + (one.unlisted ? kUnlistedRemembered : kRemembered) < now;
  });
  std::erase_if(revocations.certificates,
                [now](const RevokedCertificate& one) { return one.expires_ns + kKeptBeyondExpiry < now; });
  ++revocations.number;
  return disk_.write_file(path("revoked.json"), format_revocations(revocations));
}

// The same for other programs.
Status EnrollmentStore::write_revocation_list(const Revocations& revocations) {
  std::vector<RevokedSerial> serials;
  for (const RevokedCertificate& one : revocations.certificates) serials.push_back({one.serial, one.revoked_ns});
  const auto list = authority_.revocation_list(serials, revocations.number);
  return list ? disk_.write_file(path("crl.pem"), *list) : Status(list.error());
}

Result<JoinToken> EnrollmentStore::create_token(const TokenSpec& spec) {
  if (const Status good = check(spec); !good) return good.error();
  const auto held = lock();
  if (!held) return held.error();
  auto tokens = read_tokens();
  if (!tokens) return tokens.error();
  const int64_t now = clock_.wall_ns();
  std::erase_if(*tokens, [now](const TokenRecord& one) { return one.expires_ns + kRemembered < now; });
  if (tokens->size() >= kMostTokens) {
    return Error(Code::kResourceExhausted,
                 fmt::format("there are {} tokens already, which is the limit; they are removed {} after they expire",
                             tokens->size(), format_duration(kRemembered)));
  }
  JoinToken token;
  {
    const std::lock_guard guard(mutex_);
    token = make_join_token(random_, authority_.pin());
  }
  TokenRecord record;
  record.id = token.id;
  record.secret_hash = token.secret_hash();
  record.pattern = spec.pattern;
  record.created_ns = now;
  record.expires_ns = now + spec.life_ns;
  record.max_uses = spec.max_uses;
  tokens->push_back(std::move(record));
  if (const Status written = write_tokens(std::move(*tokens)); !written) return written.error();
  return token;
}

Result<std::vector<TokenRecord>> EnrollmentStore::tokens() { return read_tokens(); }

Result<bool> EnrollmentStore::revoke_token(std::string_view id) {
  const auto held = lock();
  if (!held) return held.error();
  auto tokens = read_tokens();
  if (!tokens) return tokens.error();
  const auto found = std::ranges::find(*tokens, id, &TokenRecord::id);
  if (found == tokens->end()) return false;
  if (found->revoked_ns == 0) found->revoked_ns = clock_.wall_ns();
  if (const Status written = write_tokens(std::move(*tokens)); !written) return written.error();
  return true;
}

// Called after the secret was verified. Checks the token and the agent, but not the issued certificates.
std::optional<Refusal> EnrollmentStore::judge_agent(const TokenRecord& token, const std::string& agent_id) {
  const std::string name = "join token " + token.id;
  if (token.revoked_ns != 0) return refuse("revoked", Code::kUnauthenticated, name + " was revoked");
  if (clock_.wall_ns() >= token.expires_ns) {
    return refuse("expired", Code::kUnauthenticated,
                  fmt::format("{} expired at {}", name, format_rfc3339(token.expires_ns, 0)));
  }
  if (!glob_match(token.pattern, agent_id)) {
    return refuse(
        "other_agent", Code::kPermissionDenied,
        fmt::format("{} is for agents {}, not for {}", name, json_quote(token.pattern), json_quote(agent_id)));
  }
  const auto revocations = read_revocations();
  if (!revocations) return broken(revocations.error());
  const int64_t revoked = revocations->agent_revoked_ns(agent_id);
  if (revoked == 0 || token.created_ns > revoked) return std::nullopt;
  return refuse("agent_revoked", Code::kPermissionDenied,
                fmt::format("agent {} was revoked at {}; only a token made later can join it again", agent_id,
                            format_rfc3339(revoked, 0)));
}

namespace {

// Checks whether the token may still be used for this agent and key, given the certificates issued to the agent. Sets
// `repeated` if it was already used for exactly this agent and key; repeating that request takes no further use.
std::optional<Refusal> judge_use(const TokenRecord& token, const std::string& agent_id, const std::string& key_hash,
                                 const std::vector<IssuedRecord>& issued, int64_t now, bool& repeated) {
  const auto valid = [now](const IssuedRecord& one) { return one.revoked_ns == 0 && now < one.expires_ns; };
  const bool has_own =
      std::ranges::any_of(issued, [&](const IssuedRecord& one) { return valid(one) && one.key_hash == key_hash; });
  repeated = has_own && std::ranges::any_of(token.uses, [&](const TokenUse& use) {
               return use.agent_id == agent_id && use.key_hash == key_hash;
             });
  if (repeated) return std::nullopt;
  if (token.uses.size() >= token.max_uses) {
    return refuse(
        "used", Code::kUnauthenticated,
        fmt::format("join token {} has no use left; agent {} used it last, at {}: if that was not you, revoke "
                    "that agent",
                    token.id, token.uses.back().agent_id, format_rfc3339(token.uses.back().at_ns, 0)));
  }
  if (!token.has_wildcard() || has_own || std::ranges::none_of(issued, valid)) return std::nullopt;
  return refuse("agent_exists", Code::kPermissionDenied,
                fmt::format("agent {} has a valid certificate, and join token {} is for {}: make a token for exactly "
                            "this agent, or revoke the agent first",
                            agent_id, token.id, json_quote(token.pattern)));
}

}  // namespace

EnrollmentResult EnrollmentStore::enroll(const JoinToken& token, const std::string& agent_id,
                                         std::string_view request) {
  if (!valid_name(agent_id)) {
    return refuse("bad_agent_id", Code::kInvalidArgument, "agent id: got " + json_quote(agent_id.substr(0, 160)));
  }
  if (!equal_secrets(token.pin, authority_.pin())) {
    return refuse("other_ca", Code::kUnauthenticated, "join token " + token.id + " was made by another CA");
  }
  const auto held = lock();
  if (!held) return broken(held.error());
  auto tokens = read_tokens();
  if (!tokens) return broken(tokens.error());
  const auto found = std::ranges::find(*tokens, token.id, &TokenRecord::id);
  // The same text for both, so that nobody learns which ids exist.
  const std::string unknown = "join token " + token.id + " is unknown to this server";
  if (found == tokens->end()) return refuse("unknown", Code::kUnauthenticated, unknown);
  if (!equal_secrets(found->secret_hash, token.secret_hash())) {
    return refuse("wrong_secret", Code::kUnauthenticated, unknown);
  }
  // Nothing of a request is parsed before its sender has shown a token's secret.
  const auto facts = check_request(request);
  if (!facts) return Refusal{"bad_request", facts.error()};
  auto refusal = judge_agent(*found, agent_id);
  auto issued = read_issued(agent_id);
  if (!issued) return broken(issued.error());
  bool repeated = false;
  if (!refusal) refusal = judge_use(*found, agent_id, facts->key_hash, *issued, clock_.wall_ns(), repeated);
  if (refusal) {
    ++found->refused;
    (void)write_tokens(std::move(*tokens));  // if this fails, only the count is lost
    return *refusal;
  }
  // The certificate is recorded before the token's use: after a crash in between, the agent asks again.
  auto result = issue(agent_id, request, std::move(*issued));
  if (repeated || std::holds_alternative<Refusal>(result)) return result;
  found->uses.push_back({agent_id, facts->key_hash, clock_.wall_ns()});
  if (const Status written = write_tokens(std::move(*tokens)); !written) return broken(written.error());
  return result;
}

EnrollmentResult EnrollmentStore::renew(const std::string& agent_id, std::string_view serial,
                                        std::string_view request) {
  const auto held = lock();
  if (!held) return broken(held.error());
  auto issued = read_issued(agent_id);
  if (!issued) return broken(issued.error());
  const auto found = std::ranges::find(*issued, serial, &IssuedRecord::serial);
  if (found == issued->end()) {
    return refuse(
        "unknown_certificate", Code::kPermissionDenied,
        fmt::format("certificate {} of agent {} was not issued by this server", serial, json_quote(agent_id)));
  }
  if (clock_.wall_ns() >= found->expires_ns) {
    return refuse("expired", Code::kPermissionDenied,
                  fmt::format("certificate {} of agent {} has expired; only a join token can join it again", serial,
                              json_quote(agent_id)));
  }
  const auto revocations = read_revocations();
  if (!revocations) return broken(revocations.error());
  if (found->revoked_ns != 0 || revocations->has_serial(serial)) {
    return refuse("agent_revoked", Code::kPermissionDenied,
                  fmt::format("agent {} was revoked; only a new join token can join it again", agent_id));
  }
  if (const auto good = check_request(request); !good) return Refusal{"bad_request", good.error()};
  return issue(agent_id, request, std::move(*issued));
}

EnrollmentResult EnrollmentStore::issue(const std::string& agent_id, std::string_view request,
                                        std::vector<IssuedRecord> issued) {
  const int64_t now = clock_.wall_ns();
  std::erase_if(issued, [now](const IssuedRecord& one) { return one.expires_ns < now; });
  if (std::ranges::count_if(issued, [](const IssuedRecord& one) { return one.revoked_ns == 0; }) >= kMostValid) {
    return refuse("too_many", Code::kResourceExhausted,
                  fmt::format("agent {} has {} valid certificates already", agent_id, kMostValid));
  }
  auto made = authority_.issue_agent(agent_id, request);
  if (!made && made.error().code() == Code::kFailedPrecondition) return Refusal{"ca_expired", made.error()};
  if (!made) return broken(made.error());
  issued.push_back({made->serial, made->key_hash, now, made->expires_ns});
  if (const Status folder = disk_.make_folder(path("issued")); !folder) return broken(folder.error());
  if (const Status written = disk_.write_file(issued_path(agent_id), format_issued(issued)); !written) {
    return broken(written.error());
  }
  return std::move(*made);
}

// A damaged list is kept for whoever wants to know what happened, and the agent can join again.
void EnrollmentStore::set_aside(const std::string& agent_id, const Error& why, AgentRevocation& result) {
  result.unlisted = true;
  result.failures.push_back(why.with_context("the list of the agent's certificates cannot be read"));
  const std::string list = issued_path(agent_id);
  if (const Status moved = disk_.rename_file(list, list + ".damaged"); !moved) {
    result.failures.push_back(moved.error().with_context("until it is removed, the agent cannot join again"));
  }
}

Result<AgentRevocation> EnrollmentStore::revoke_agent(const std::string& agent_id) {
  if (!valid_name(agent_id)) {
    return Error(Code::kInvalidArgument, "agent id: got " + json_quote(agent_id.substr(0, 160)));
  }
  const auto held = lock();
  if (!held) return held.error();
  auto revocations = read_revocations();
  if (!revocations) return revocations.error();
  AgentRevocation result;
  const auto read = read_issued(agent_id);
  const bool known = !read || !read->empty() || revocations->agent_revoked_ns(agent_id) != 0;
  if (!known) return Error(Code::kNotFound, "agent " + agent_id + ": no certificate was issued to it");
  const int64_t now = clock_.wall_ns();
  std::vector<IssuedRecord> issued = read ? *read : std::vector<IssuedRecord>();
  for (IssuedRecord& one : issued) {
    if (one.revoked_ns != 0) continue;
    one.revoked_ns = now;
    if (one.expires_ns < now) continue;
    ++result.certificates;
    revocations->certificates.push_back({one.serial, agent_id, now, one.expires_ns});
  }
  const bool unlisted = !read || revocations->is_unlisted(agent_id);
  std::erase_if(revocations->agents, [&](const RevokedAgent& one) { return one.agent_id == agent_id; });
  revocations->agents.push_back({agent_id, now, unlisted});
  if (const Status written = write_revocations(*revocations); !written) return written.error();
  // The agent is revoked. What follows is done as far as it can be.
  const auto attempt = [&result](const Status& done, const char* what) {
    if (!done) result.failures.push_back(done.error().with_context(what));
  };
  attempt(write_revocation_list(*revocations), "the CRL cannot be written");
  if (!read) {
    set_aside(agent_id, read.error(), result);
  } else {
    attempt(disk_.write_file(issued_path(agent_id), format_issued(issued)), "the agent's list cannot be written");
  }
  const auto tokens = read_tokens();
  if (!tokens) {
    result.failures.push_back(tokens.error().with_context("the tokens that match the agent are unknown"));
    return result;
  }
  for (const TokenRecord& one : *tokens) {
    if (one.has_wildcard() && one.state(now) == std::string_view("usable") && glob_match(one.pattern, agent_id)) {
      result.tokens.push_back(one.id);
    }
  }
  return result;
}

Result<std::vector<IssuedRecord>> EnrollmentStore::issued(const std::string& agent_id) { return read_issued(agent_id); }

Result<Revocations> EnrollmentStore::revocations() { return read_revocations(); }

Status EnrollmentStore::refresh_revocation_list() {
  const auto held = lock();
  if (!held) return held.error();
  auto revocations = read_revocations();
  if (!revocations) return revocations.error();
  if (const Status written = write_revocations(*revocations); !written) return written;
  return write_revocation_list(*revocations);
}

}  // namespace monitor::identity
