// Decides whether a stream may speak for the agent that its Hello names, and records refusals. Every batch of the
// stream must be of the same agent (session.cc), so that this covers batches, too. On the loop's thread.
#pragma once

#include "base/result.h"
#include "grpc/server_call.h"
#include "identity/peer.h"
#include "inputs/stream/ingest_metrics.h"
#include "stream/messages.h"

namespace monitor::server {

// kPermissionDenied: the client's certificate identifies another agent, or none; the text says how to mend it. It is
// counted, and logged with both names. A client without a certificate may name any agent: whether it needs one is
// decided in the handshake.
Status check_stream_identity(const grpc::ServerCall& call, const stream::Hello& hello,
                             const identity::IdentityRule& rule, IngestMetrics& metrics);

}  // namespace monitor::server
