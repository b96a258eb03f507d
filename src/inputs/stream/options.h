// What the server accepts from agents. docs/operations.md explains each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "inputs/stream/memory_budget.h"
#include "metrics/decode.h"

namespace monitor::server {

enum class Encoding { kProtobuf, kJson };

struct IngestOptions {
  std::string version = "0";
  Encoding encoding = Encoding::kProtobuf;
  metrics::BatchLimits limits = {};
  // What an agent may have on its way unacknowledged: told in HelloReply, and enforced by HTTP/2's flow control.
  uint32_t window_bytes = 512 * 1024;
  // Of the batches of all streams together, in all loops. Above it streams pause: they get no more room to send.
  size_t memory_limit = MemoryBudget::kDefault;
  size_t max_streams_per_agent = 16;
  // Replies to an agent that does not read: at the first limit it gets no more room to send, at the second its stream
  // ends.
  size_t max_unsent_bytes = size_t{64} * 1024;
  size_t max_outbox_bytes = size_t{256} * 1024;
  int64_t hello_timeout_ns = 10 * kNanosPerSecond;
  int64_t min_retry_ns = 100 * kNanosPerMilli;  // before an agent is asked to send again; doubles up to the next one
  int64_t max_retry_ns = 5 * kNanosPerSecond;
  int64_t full_retry_ns = 10 * kNanosPerMilli;  // other loops may have filled the log: no delivery of ours to wait for
  int64_t paused_retry_ns = 20 * kNanosPerMilli;  // likewise the memory
  int64_t turn_ns = 1 * kNanosPerSecond;          // memory kept for a stream that goes on and sends nothing
};

}  // namespace monitor::server
