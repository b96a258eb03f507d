// Decides whether a stream may use the agent id in its Hello, and records refusals. This covers the batches as well,
// because every batch of a stream must have the same agent id (session.cc). On the loop's thread.
#pragma once

#include "base/result.h"
#include "grpc/server_call.h"
#include "identity/peer.h"
#include "inputs/stream/ingest_metrics.h"
#include "stream/messages.h"

namespace monitor::server {

// kPermissionDenied: the client's certificate identifies another agent, or none; the text names the remedy. The refusal
// is counted, and logged with both ids. A client without a certificate may use any id: the handshake decides whether it
// needs a certificate.
Status check_stream_identity(const grpc::ServerCall& call, const stream::Hello& hello,
                             const identity::IdentityRule& rule, IngestMetrics& metrics);

}  // namespace monitor::server
