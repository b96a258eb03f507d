// IngestMetrics: one loop's part of the server's metrics about batches and streams. Loop's thread only; the registry
// must outlive it.
#pragma once

#include <array>

#include "inputs/stream/identity_limits.h"
#include "telemetry/registry.h"

namespace monitor::server {

struct IngestMetrics {
  explicit IngestMetrics(telemetry::Registry& registry);
  telemetry::Counter& stored;
  telemetry::Counter& copies;
  telemetry::Counter& contradictions;
  telemetry::Counter& retried;
  telemetry::Counter& rejected_large;
  telemetry::Counter& rejected_invalid;
  telemetry::Counter& rejected_agent;
  telemetry::Counter& rejected_log;
  telemetry::Counter& bytes;
  telemetry::Counter& points;
  telemetry::Counter& log_full;
  telemetry::Counter& paused;
  telemetry::Counter& streams_opened;
  telemetry::Counter& refused_wrong_agent;
  telemetry::Counter& refused_no_identity;
  telemetry::Counter& refused_revoked;
  telemetry::Counter& conflicts;
  telemetry::Gauge& streams;
  telemetry::Gauge& waiting_bytes;
  telemetry::Gauge& paused_streams;
  telemetry::Gauge& memory_bytes;
  telemetry::Histogram& append_seconds;
  std::array<telemetry::Counter*, kIdentityLimits> limited;  // by IdentityLimit
};

}  // namespace monitor::server
