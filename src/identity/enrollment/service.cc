#include "identity/enrollment/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "base/audit.h"
#include "base/log.h"
#include "base/net/address.h"
#include "base/text.h"
#include "base/time_format.h"
#include "grpc/connection_table.h"
#include "identity/ca/join_token.h"
#include "identity/enrollment/messages.h"

namespace monitor::identity {

namespace {

constexpr const char* kMetric = "monitor_server_enrollments_total";
constexpr const char* kMetricHelp = "Requests for a certificate of the built-in CA, by call and result.";

// An agent renews once in two thirds of a certificate's life; failures and restarts may make it ask more often.
AttemptRate renewal_rate(const AuthorityOptions& options) {
  return {.burst = 10, .one_every_ns = std::max<int64_t>(options.agent_life_ns / 20, 1)};
}
constexpr size_t kMostRenewingAgents = 100'000;

}  // namespace

std::string limited_address(const std::string& peer) {
  const size_t scheme = peer.find(':');
  const auto target =
      parse_host_port(scheme == std::string::npos ? peer : peer.substr(scheme + 1), 0, PortZero::kAllowed);
  if (!target) return peer;
  const auto address = parse_socket_address(target->host, target->port);
  if (!address) return target->host;
  const std::string group = grpc::address_group(*address);
  return group.empty() ? target->host : group;  // loopback addresses count one by one
}

EnrollmentAnswerer::EnrollmentAnswerer(EnrollmentStore& store, const Authority& authority, const Clock& clock,
                                       telemetry::Registry& registry, Identify identify)
    : store_(store),
      authority_(authority),
      registry_(registry),
      identify_(std::move(identify)),
      failures_(clock),
      renewals_(clock, renewal_rate(authority.options()), kMostRenewingAgents) {
  for (const char* call : {"enroll", "renew"}) (void)counter(call, "issued");
}

telemetry::Counter& EnrollmentAnswerer::counter(const char* call, const std::string& result) {
  const std::lock_guard lock(mutex_);
  telemetry::Counter*& found = counters_[fmt::format("{} {}", call, result)];
  if (found == nullptr) found = &registry_.counter(kMetric, kMetricHelp, {{"call", call}, {"result", result}});
  return *found;
}

Error EnrollmentAnswerer::refused(const Attempt& attempt, const Refusal& refusal) {
  counter(attempt.call, refusal.reason).add();
  // An audit line: refusals are limited by address, and none may be hidden by others.
  log_audit("certificate refused", {{"call", attempt.call},
                                    {"reason", refusal.reason},
                                    {"agent", attempt.agent_id},
                                    {"token", attempt.token_id},
                                    {"peer", attempt.peer},
                                    {"detail", refusal.error.message()}});
  // Details of internal errors are only for the server's operators.
  if (refusal.reason != "internal") return refusal.error;
  return Error(Code::kUnavailable, "the server cannot use its CA's files; its log says why");
}

Result<std::string> EnrollmentAnswerer::answer(const Attempt& attempt, const EnrollmentResult& result) {
  if (const auto* const refusal = std::get_if<Refusal>(&result)) return refused(attempt, *refusal);
  const auto& issued = std::get<IssuedCertificate>(result);
  if (on_issued_) on_issued_(attempt.agent_id, issued.serial);
  counter(attempt.call, "issued").add();
  log_audit("certificate issued", {{"call", attempt.call},
                                   {"agent", attempt.agent_id},
                                   {"token", attempt.token_id},
                                   {"peer", attempt.peer},
                                   {"serial", issued.serial},
                                   {"expires", format_rfc3339(issued.expires_ns, 0)}});
  return encode(EnrollReply{.chain = {issued.der}, .authorities = {authority_.certificate()}});
}

Result<std::string> EnrollmentAnswerer::enroll(std::string_view message, const std::string& peer) {
  Attempt attempt{"enroll", "", "", peer};
  const std::string address = limited_address(peer);
  if (failures_.wait_ns(address) > 0) {
    // Not logged, because a flood of requests must not flood the log.
    counter(attempt.call, "rate_limited").add();
    return Error(Code::kResourceExhausted, "too many refused join tokens from this address; try again in a minute");
  }
  const auto fail = [&](Refusal refusal) {
    failures_.charge(address);
    return refused(attempt, refusal);
  };
  const auto request = parse_enroll_request(message);
  if (!request) return fail({"malformed", request.error()});
  attempt.agent_id = sanitize_utf8(request->agent_id.substr(0, 160));
  const auto token = parse_join_token(request->token);
  if (!token) return fail({"malformed", token.error()});
  attempt.token_id = token->id;
  const auto result = store_.enroll(*token, request->agent_id, request->certificate_request);
  if (const auto* const refusal = std::get_if<Refusal>(&result)) return fail(*refusal);
  return answer(attempt, result);
}

Result<std::string> EnrollmentAnswerer::renew(std::string_view message, const std::string& peer,
                                              const PeerCertificate* certificate) {
  Attempt attempt{"renew", "", "", peer};
  const std::string address = limited_address(peer);
  // A peer with a certificate of the CA is limited by its own name below, and not by what its neighbours do.
  if (certificate == nullptr && failures_.wait_ns(address) > 0) {
    counter(attempt.call, "rate_limited").add();
    return Error(Code::kResourceExhausted, "too many refused calls from this address; try again in a minute");
  }
  const auto fail = [&](Refusal refusal) {
    failures_.charge(address);
    return refused(attempt, refusal);
  };
  if (certificate == nullptr) {
    return fail({"no_certificate", Error(Code::kUnauthenticated, "renewal needs the agent's certificate")});
  }
  const auto agent = identify_(*certificate);
  if (!agent) return fail({"no_identity", agent.error()});
  attempt.agent_id = *agent;
  if (renewals_.take(*agent) > 0) {
    counter(attempt.call, "rate_limited").add();
    return Error(Code::kResourceExhausted, "agent " + *agent + " renews its certificate too often");
  }
  const auto request = parse_renew_request(message);
  if (!request) return fail({"malformed", request.error()});
  return answer(attempt, store_.renew(*agent, certificate->serial, request->certificate_request));
}

// One call. It may end before the worker answers.
class EnrollmentService::Call final : public grpc::ServerCallHandler {
 public:
  Call(grpc::ServerCall& call, std::shared_ptr<State> state) : call_(call), state_(std::move(state)) {}
  ~Call() override { *alive_ = false; }
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  void on_message(std::string_view message) override {
    if (request_) return call_.finish({Code::kInternal, "a unary call has one request message, got more"});
    request_ = std::string(message);
  }

  void on_half_close() override {
    if (!request_) return call_.finish({Code::kInternal, "a unary call has one request message, got none"});
    if (state_->waiting >= kMostWaiting) {
      return call_.finish({Code::kResourceExhausted, "too many agents ask for certificates at once; try again"});
    }
    ++state_->waiting;
    const auto reply = std::make_shared<Result<std::string>>(Error(Code::kInternal, ""));
    std::optional<PeerCertificate> certificate;
    if (call_.peer_certificate() != nullptr) certificate = *call_.peer_certificate();
    state_->worker.submit(
        [&answerer = state_->answerer, reply, renews = call_.path() == kRenewPath, request = std::move(*request_),
         peer = call_.peer(), certificate = std::move(certificate)] {
          *reply = renews ? answerer.renew(request, peer, certificate ? &*certificate : nullptr)
                          : answerer.enroll(request, peer);
        },
        [this, alive = alive_, state = state_, reply] {
          --state->waiting;
          if (*alive) finish(*reply);
        });
  }

 private:
  void finish(const Result<std::string>& reply) {
    if (reply) call_.write(*reply);
    call_.finish(reply ? grpc::CallStatus{} : grpc::CallStatus{reply.error().code(), reply.error().message()});
  }

  grpc::ServerCall& call_;
  std::shared_ptr<State> state_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::optional<std::string> request_;
};

EnrollmentService::EnrollmentService(EnrollmentAnswerer& answerer, Worker& worker)
    : state_(std::make_shared<State>(State{answerer, worker})) {}

void EnrollmentService::add_to(grpc::MethodTable& methods) {
  for (const char* path : {kEnrollPath, kRenewPath}) {
    methods.add_method(path, [state = state_](grpc::ServerCall& call) { return std::make_unique<Call>(call, state); },
                       {.max_message_bytes = kMaxEnrollmentRequest, .single_request = true});
  }
}

}  // namespace monitor::identity
