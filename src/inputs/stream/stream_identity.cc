#include "inputs/stream/stream_identity.h"

#include <fmt/format.h>

#include "base/log.h"

namespace monitor::server {

Status check_stream_identity(const grpc::ServerCall& call, const stream::Hello& hello,
                             const identity::IdentityRule& rule, IngestMetrics& metrics) {
  const PeerCertificate* const certificate = call.peer_certificate();
  if (certificate == nullptr || rule.from == identity::IdentityFrom::kNone) return {};
  const auto id = identity::agent_id_of(*certificate, rule);
  if (id && *id == hello.agent_id) return {};
  const Error error =
      id ? Error(Code::kPermissionDenied,
                 fmt::format("the certificate (serial {}) is agent {}'s, and Hello names agent {}; give the agent its "
                             "own certificate, or --agent-id {}",
                             certificate->serial, *id, hello.agent_id, *id))
         : id.error();
  (id ? metrics.refused_wrong_agent : metrics.refused_no_identity).add();
  log_warning("stream refused: the certificate does not identify its agent", {{"agent", hello.agent_id},
                                                                              {"certificate_agent", id ? *id : ""},
                                                                              {"subject", certificate->subject},
                                                                              {"serial", certificate->serial},
                                                                              {"host", hello.hostname},
                                                                              {"peer", call.peer()},
                                                                              {"reason", error}});
  return error.with_context("stream");
}

}  // namespace monitor::server
