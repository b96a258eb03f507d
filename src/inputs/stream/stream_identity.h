// Decides whether a stream may use the agent id in its Hello, and records refusals. This covers the batches as well,
// because every batch of a stream must have the same agent id (session.cc). On the loop's thread.
#pragma once

#include "base/result.h"
#include "grpc/server_call.h"
#include "inputs/stream/ingest_metrics.h"
#include "inputs/stream/options.h"
#include "stream/messages.h"

namespace monitor::server {

// kPermissionDenied: the client's certificate identifies another agent, or none, or was revoked; the text says how to
// mend it. It is counted, and logged with both names. A client without a certificate may name any agent, unless the
// options require one (kUnauthenticated): usually the handshake does.
Status check_stream_identity(const grpc::ServerCall& call, const stream::Hello& hello, const IngestOptions& options,
                             IngestMetrics& metrics);

}  // namespace monitor::server
