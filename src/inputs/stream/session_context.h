// State that the sessions of one loop share, and the interface to their owner. Loop's thread only, except where a
// comment says otherwise.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>

#include "base/event_loop.h"
#include "base/random.h"
#include "inputs/stream/batch_check.h"
#include "inputs/stream/held_batches.h"
#include "inputs/stream/identity_limits.h"
#include "inputs/stream/ingest_metrics.h"
#include "inputs/stream/log_queue.h"
#include "inputs/stream/memory_budget.h"
#include "inputs/stream/memory_queue.h"
#include "inputs/stream/options.h"
#include "inputs/stream/stream_table.h"
#include "metriclog/log.h"
#include "telemetry/registry.h"

namespace monitor::server {

class Session;

// What the loop provides to its ingest. Everything must outlive the ingest.
struct IngestEnvironment {
  Timers& timers;
  std::function<void(std::function<void()>)> post;  // runs a function on the loop; thread-safe
  metriclog::LogWriter& log;
  StreamTable& streams;
  MemoryBudget& memory;
  HeldBatches& held;
  IdentityTable& identities;
  telemetry::Registry& registry;
  Random& random;
};

struct SessionContext {
  SessionContext(IngestEnvironment environment, IngestOptions ingest_options,
                 std::function<void(const std::unordered_set<uint32_t>&)> flush)
      : env(std::move(environment)),
        options(std::move(ingest_options)),
        metrics(env.registry),
        memory(env.timers, env.memory, options.paused_retry_ns, metrics),
        log_queue(env.timers, options.full_retry_ns, metrics, std::move(flush)) {}

  IngestEnvironment env;
  const IngestOptions options;
  IngestMetrics metrics;
  BatchCheck checker{options.limits};
  MemoryQueue memory;
  LogQueue log_queue;
  std::string log_identity;  // identity of the log that confirmed the last deliveries
};

// Listens to the log for its sessions. The token of a record is the session's id and the low half of the receiver's
// token.
class SessionOwner : public metriclog::DeliveryListener {
 public:
  // Returns the session's id, which is valid until leave().
  virtual uint32_t enter(Session& session) = 0;
  virtual void leave(uint32_t id) = 0;
  // Takes over the memory of records that the log still holds when a session ends, by token from `first_token` on; 0:
  // none.
  virtual void adopt(uint32_t id, uint64_t first_token, std::deque<size_t> costs) = 0;
  // Thread-safe. Runs `call` on the loop if the session still exists.
  virtual void post(uint32_t id, std::function<void(Session&)> call) = 0;
};

}  // namespace monitor::server
