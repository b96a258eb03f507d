// The server side of enrollment. EnrollmentAnswerer answers requests: it limits how often a peer may try, asks the
// store, and logs and counts every outcome. EnrollmentService offers it as a gRPC service on one loop. It calls the
// answerer on a worker thread, because the store blocks for the disk.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/attempt_limit.h"
#include "base/clock.h"
#include "base/event_loop.h"
#include "base/net/peer_certificate.h"
#include "base/result.h"
#include "base/worker.h"
#include "grpc/server_call.h"
#include "identity/ca/authority.h"
#include "identity/ca/enrollment_store.h"
#include "telemetry/registry.h"

namespace monitor::identity {

// Thread-safe; all loops share one. Constructor arguments must outlive it.
class EnrollmentAnswerer {
 public:
  // The agent id that a verified certificate proves; kPermissionDenied if none.
  using Identify = std::function<Result<std::string>(const PeerCertificate& certificate)>;

  EnrollmentAnswerer(EnrollmentStore& store, const Authority& authority, const Clock& clock,
                     telemetry::Registry& registry, Identify identify);
  // Called for each certificate before the agent gets it. Set it before the first call.
  void set_on_issued(std::function<void(const std::string& agent_id, const std::string& serial)> call) {
    on_issued_ = std::move(call);
  }

  // Both block, and return the encoded reply or the call's status. `peer` is the caller's address, as from
  // ServerCall::peer().
  Result<std::string> enroll(std::string_view message, const std::string& peer);
  Result<std::string> renew(std::string_view message, const std::string& peer, const PeerCertificate* certificate);

 private:
  struct Attempt {
    const char* call;
    std::string agent_id;
    std::string token_id;
    std::string peer;
  };

  Result<std::string> answer(const Attempt& attempt, const EnrollmentResult& result);
  Error refused(const Attempt& attempt, const Refusal& refusal);
  telemetry::Counter& counter(const char* call, const std::string& result);

  EnrollmentStore& store_;
  const Authority& authority_;
  telemetry::Registry& registry_;
  Identify identify_;
  std::function<void(const std::string& agent_id, const std::string& serial)> on_issued_;
  AttemptLimit failures_;  // by address: refused calls
  AttemptLimit renewals_;  // by agent: certificates
  std::mutex mutex_;       // guards counters_
  std::map<std::string, telemetry::Counter*> counters_;
};

// Use it on the loop's thread. The answerer and the loop must outlive it, and it must outlive the server to which its
// methods were added.
class EnrollmentService {
 public:
  // The number of calls per loop that may wait for the disk; further ones are refused with RESOURCE_EXHAUSTED.
  static constexpr size_t kMostWaiting = 256;

  // `worker` must deliver its completions to the loop.
  EnrollmentService(EnrollmentAnswerer& answerer, Worker& worker);
  void add_to(grpc::MethodTable& methods);

 private:
  class Call;
  struct State {
    EnrollmentAnswerer& answerer;
    Worker& worker;
    size_t waiting = 0;
  };
  std::shared_ptr<State> state_;
};

// The part of a peer's address that limits apply to: an IPv4 address or an IPv6 /64 network. `peer` as from
// ServerCall::peer().
std::string limited_address(const std::string& peer);

}  // namespace monitor::identity
