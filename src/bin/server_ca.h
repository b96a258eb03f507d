// monitor-server's built-in CA: its options, and the parts of a running server that need it.
#pragma once

#include <CLI/CLI.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/disk.h"
#include "base/event_loop.h"
#include "base/lock_file.h"
#include "base/random.h"
#include "base/result.h"
#include "base/worker.h"
#include "bin/server_tls.h"
#include "grpc/reloading_security.h"
#include "identity/ca/authority.h"
#include "identity/ca/enrollment_store.h"
#include "identity/ca/revoked_certificates.h"
#include "identity/enrollment/service.h"
#include "server/server.h"
#include "telemetry/registry.h"

namespace monitor {

struct ServerCaFlags {
  std::string folder;  // empty: no built-in CA
  std::vector<std::string> names;
  int64_t life_ns = 7 * identity::kDay;
  std::string trust_domain = "monitor";

  identity::AuthorityOptions authority() const;
};

void add_server_ca_options(CLI::App& app, ServerCaFlags& flags);
// What is wrong with the options beyond their form; empty when nothing is. Takes over what `tls` says of both.
std::string check_server_ca_flags(ServerCaFlags& flags, const ServerTlsFlags& tls);

// The CA of a running server: the server's own certificate, the enrollment service, revocations. On the thread of the
// main loop, except where the parts say otherwise. Must outlive the server.
class ServerCa {
 public:
  // Opens or creates the CA, and issues the server's certificate; blocks. Errors: the folder or a file cannot be used,
  // or another server uses it (kAborted).
  static Result<std::unique_ptr<ServerCa>> open(const ServerCaFlags& flags,
                                                const std::vector<server::ListenAddress>& listen,
                                                const SystemClock& clock, telemetry::Registry& registry);
  ~ServerCa();
  ServerCa(const ServerCa&) = delete;
  ServerCa& operator=(const ServerCa&) = delete;

  // TLS, who may publish, and the enrollment service.
  void add_to(server::ServerOptions& options);
  // Renews the server's certificate and the CRL, and ends the streams of agents that are revoked, until destroyed.
  void start(EventLoop& loop, server::Server& server);
  // When the server's certificate expires, in Unix seconds.
  int64_t expiry_s() const { return expiry_s_; }
  // When the CA's own certificate expires, in Unix seconds.
  int64_t authority_expiry_s() const { return authority_->expires_ns() / kNanosPerSecond; }

 private:
  ServerCa(const ServerCaFlags& flags, std::vector<std::string> names, const SystemClock& clock, LockFile lock);
  Status issue_own_certificate();
  Status read_revocations();
  void warn_of_expiry();
  void look();
  void took_look(const Status& renewed, const Status& read, bool changed);

  PosixDisk disk_;
  SystemRandom random_;
  const SystemClock& clock_;
  const ServerCaFlags flags_;
  const std::vector<std::string> names_;
  LockFile lock_;
  std::unique_ptr<identity::Authority> authority_;
  std::unique_ptr<identity::EnrollmentStore> store_;
  std::unique_ptr<identity::EnrollmentAnswerer> answerer_;
  std::shared_ptr<grpc::ReloadingSecurity> security_;
  std::shared_ptr<identity::RevokedCertificates> revoked_ = std::make_shared<identity::RevokedCertificates>();
  std::atomic<int64_t> expiry_s_ = 0;
  int64_t renew_at_ns_ = 0;    // wall time, of the server's certificate
  int64_t refresh_at_ns_ = 0;  // wall time, of the CRL
  int64_t warn_at_ns_ = 0;     // wall time, of the CA's certificate
  std::string seen_;           // identifies the revocations that were read last
  int unsettled_ = 0;          // looks after which streams of revoked agents are ended once more
  EventLoop* loop_ = nullptr;
  server::Server* server_ = nullptr;
  std::unique_ptr<ThreadWorker> worker_;
  Timers::TimerId timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace monitor
