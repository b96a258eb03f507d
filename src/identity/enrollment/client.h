// EnrollmentClient: gets the agent's certificate with a join token, and renews it at two thirds of its life, for as
// long as the agent runs. The agent collects and sends meanwhile; nothing here stops it.
//
// - Without a valid stored certificate, it enrolls with the token in the token file. It reads the file before every
//   attempt, so an operator can replace a bad token while the agent runs. If the file contains another token than the
//   one that the agent joined with, it enrolls again, and keeps the old certificate until that succeeds.
// - The token is sent only over TLS, to a server that has proved its CA by the token's pin.
// - After a failure it tries the next server, with jittered backoff: up to 5 min for enrollment, up to a twentieth of
//   the certificate's life (at most 1 h) for renewal.
//
// Threads: call it on the loop's thread; disk work runs on the worker. Constructor arguments must outlive it. After its
// destruction it makes no callbacks.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/net/address.h"
#include "base/net/backoff.h"
#include "base/random.h"
#include "base/result.h"
#include "base/worker.h"
#include "grpc/client_call.h"
#include "identity/ca/join_token.h"
#include "identity/enrollment/stored_identity.h"

namespace monitor::identity {

struct EnrollmentClientOptions {
  std::string folder;  // exists, and is private to the agent
  std::string agent_id;
  std::string token_file;  // empty: the agent can only renew
  std::vector<HostPort> servers;
};

// Opens connections. Both may fail at once, or later by the call's status. What is returned is destroyed to close it.
class EnrollmentConnector {
 public:
  virtual ~EnrollmentConnector() = default;
  // TLS; the server must prove that a CA with this public key (SHA-256, hexadecimal) has signed its certificate.
  virtual Result<std::unique_ptr<grpc::CallStarter>> first_contact(const HostPort& server, const std::string& pin) = 0;
  // TLS with the stored certificate, to a server of a stored CA.
  virtual Result<std::unique_ptr<grpc::CallStarter>> authenticated(const HostPort& server) = 0;
};

struct EnrollmentStats {
  uint64_t enrolled = 0;
  uint64_t renewed = 0;
  uint64_t failures = 0;
};

class EnrollmentClient {
 public:
  EnrollmentClient(Timers& timers, Random& random, Disk& disk, Worker& worker, EnrollmentConnector& connector,
                   EnrollmentClientOptions options);
  ~EnrollmentClient();
  EnrollmentClient(const EnrollmentClient&) = delete;
  EnrollmentClient& operator=(const EnrollmentClient&) = delete;

  // Before the loop runs; blocks for the disk. Fails if the agent has never joined and its token file is missing,
  // unreadable or malformed (kFailedPrecondition), or if its stored certificate is damaged (kDataLoss).
  Status open();
  // `on_identity` is called later, each time a certificate is ready to be used: once soon after start() if one is
  // stored, and after every enrollment and renewal.
  void start(std::function<void()> on_identity);

  // A certificate is stored and has not expired.
  bool joined() const;
  // Why the agent has no valid certificate, or why the last renewal failed; empty: nothing is wrong.
  const std::string& problem() const { return problem_; }
  void set_on_problem(std::function<void()> call) { on_problem_ = std::move(call); }
  // Of the certificate; 0: there is none.
  int64_t valid_from_ns() const { return identity_ ? identity_->not_before_ns : 0; }
  int64_t expires_ns() const { return identity_ ? identity_->not_after_ns : 0; }
  const EnrollmentStats& stats() const { return stats_; }
  const IdentityPaths& paths() const { return paths_; }

 private:
  // What the worker prepares for an enrollment.
  struct Prepared {
    std::optional<JoinToken> token;
    std::optional<PrivateKey> key;
    std::string request;
  };

  int64_t wall_ns() const { return timers_.clock().wall_ns(); }
  void plan();
  void wait(int64_t ns);
  void act();
  void prepare_enrollment();
  void enroll(const Prepared& prepared);
  void renew();
  void call(Result<std::unique_ptr<grpc::CallStarter>> connection, const char* path, const std::string& message,
            std::function<void(const EnrollReply&)> answered);
  void take(const EnrollReply& reply, const PrivateKey& key, const std::string& pin, const std::string& token_id);
  void stored(const StoredIdentity& identity, const std::string& token_id, const Status& status);
  void failed(const Error& why);
  void set_problem(std::string problem);
  const HostPort& server() const { return options_.servers[server_]; }

  Timers& timers_;
  Random& random_;
  Disk& disk_;
  Worker& worker_;
  EnrollmentConnector& connector_;
  const EnrollmentClientOptions options_;
  const IdentityPaths paths_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::function<void()> on_identity_;
  std::function<void()> on_problem_;
  std::optional<StoredIdentity> identity_;
  bool new_token_ = false;   // the token file has another token than the one that the agent joined with
  bool renewing_ = false;    // the current or last attempt is a renewal, not an enrollment
  int64_t renew_at_ns_ = 0;  // wall time
  std::string problem_;
  EnrollmentStats stats_;
  size_t server_ = 0;
  std::optional<Backoff> backoff_;
  Timers::TimerId timer_ = 0;
  std::unique_ptr<grpc::CallStarter> connection_;
  std::unique_ptr<grpc::UnaryCalls> calls_;
};

// Reads and parses the token file. kFailedPrecondition names the file and says what is wrong, without its content.
Result<JoinToken> read_token_file(const std::string& path);

}  // namespace monitor::identity
