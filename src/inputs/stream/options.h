// Limits and timeouts of agents' streams. docs/operations.md explains them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "identity/peer.h"
#include "inputs/stream/identity_limits.h"
#include "inputs/stream/memory_budget.h"
#include "metrics/decode.h"

namespace monitor::server {

// How records are stored.
enum class Encoding {
  kAsSent,    // in the payload's version that the agent sends; agents are told that v2 is taken
  kProtobuf,  // payload v1, for readers that know no other
  kJson,
};

struct IngestOptions {
  std::string version = "0";
  Encoding encoding = Encoding::kAsSent;
  // Adds headers to records of payload v2 as well, which needs none.
  bool record_headers = false;
  metrics::BatchLimits limits = {};
  // How a client's certificate names its agent.
  identity::IdentityRule identity = {.from = identity::IdentityFrom::kNone, .trust_domain = ""};
  // A client without a certificate may not publish, although the handshake admits it.
  bool certificate_required = false;
  // Whether the certificate was revoked; empty: none is. `agent`: what it identifies, if anybody. Called from all
  // loops.
  std::function<bool(std::string_view agent, const PeerCertificate& certificate)> is_revoked = {};
  // Unacknowledged bytes that an agent may have in flight. HelloReply announces the limit; HTTP/2 flow control enforces
  // it.
  uint32_t window_bytes = 512 * 1024;
  // Limit on the batches of all streams in all loops. Above it, streams pause: they get no more window.
  size_t memory_limit = MemoryBudget::kDefault;
  IdentityLimits agent_limits = {};  // for each agent
  // Limits on replies to an agent that does not read them. At the first limit the agent gets no more window; at the
  // second its stream ends.
  size_t max_unsent_bytes = size_t{64} * 1024;
  size_t max_outbox_bytes = size_t{256} * 1024;
  int64_t hello_timeout_ns = 10 * kNanosPerSecond;
  int64_t min_retry_ns =
      100 * kNanosPerMilli;  // wait before an agent is asked to send again; doubles up to max_retry_ns
  int64_t max_retry_ns = 5 * kNanosPerSecond;
  int64_t full_retry_ns = 10 * kNanosPerMilli;    // how often a full log is tried again; other loops may have filled it
  int64_t paused_retry_ns = 20 * kNanosPerMilli;  // how often the memory budget is tried again
  int64_t turn_ns = 1 * kNanosPerSecond;          // how long memory is reserved for a resumed stream that sends nothing
};

}  // namespace monitor::server
