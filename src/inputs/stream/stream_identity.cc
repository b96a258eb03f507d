#include "inputs/stream/stream_identity.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

#include "base/log.h"
#include "identity/peer.h"

namespace monitor::server {

namespace {

constexpr const char* kRevoked = "stream refused: the certificate was revoked";
constexpr const char* kOther = "stream refused: the certificate does not identify its agent";

struct Refusal {
  telemetry::Counter& counter;
  const char* message;  // for the log
  Error error;
};

Error denied(std::string text) { return Error(Code::kPermissionDenied, std::move(text)); }

// `id`: the agent that the certificate identifies.
std::optional<Refusal> judge(const PeerCertificate& certificate, const Result<std::string>& id,
                             const stream::Hello& hello, const IngestOptions& options, IngestMetrics& metrics) {
  if (options.is_revoked && options.is_revoked(id ? *id : "", certificate)) {
    return Refusal{
        metrics.refused_revoked, kRevoked,
        denied(fmt::format("the agent's certificate was revoked (serial {}), or that of a CA above it; it needs a "
                           "new one, or a new join token",
                           certificate.serial))};
  }
  if (options.identity.from == identity::IdentityFrom::kNone) return std::nullopt;
  if (!id) return Refusal{metrics.refused_no_identity, kOther, id.error()};
  if (*id == hello.agent_id) return std::nullopt;
  return Refusal{
      metrics.refused_wrong_agent, kOther,
      denied(fmt::format("the certificate (serial {}) is agent {}'s, and Hello names agent {}; give the agent "
                         "its own certificate, or --agent-id {}",
                         certificate.serial, *id, hello.agent_id, *id))};
}

}  // namespace

Status check_stream_identity(const grpc::ServerCall& call, const stream::Hello& hello, const IngestOptions& options,
                             IngestMetrics& metrics) {
  const PeerCertificate* const certificate = call.peer_certificate();
  if (certificate == nullptr) {
    if (!options.certificate_required) return {};
    metrics.refused_no_identity.add();
    const Error error(Code::kUnauthenticated,
                      "the agent has no certificate; join it with `monitor-agent --join-token-file`");
    log_warning("stream refused: the agent has no certificate",
                {{"agent", hello.agent_id}, {"host", hello.hostname}, {"peer", call.peer()}});
    return error.with_context("stream");
  }
  const auto id = identity::agent_id_of(*certificate, options.identity);
  const auto refusal = judge(*certificate, id, hello, options, metrics);
  if (!refusal) return {};
  refusal->counter.add();
  log_warning(refusal->message, {{"agent", hello.agent_id},
                                 {"certificate_agent", id ? *id : ""},
                                 {"subject", certificate->subject},
                                 {"serial", certificate->serial},
                                 {"host", hello.hostname},
                                 {"peer", call.peer()},
                                 {"reason", refusal->error}});
  return refusal->error.with_context("stream");
}

}  // namespace monitor::server
