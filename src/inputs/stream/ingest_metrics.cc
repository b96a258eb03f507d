#include "inputs/stream/ingest_metrics.h"

#include <string>

namespace monitor::server {

namespace {

constexpr const char* kRejected = "monitor_server_batches_rejected_total";
constexpr const char* kRejectedHelp = "Batches that can never be stored, by reason.";
constexpr const char* kRefused = "monitor_server_streams_refused_total";
constexpr const char* kRefusedHelp = "Streams refused because of the client's certificate, by reason.";

}  // namespace

IngestMetrics::IngestMetrics(telemetry::Registry& r)
    : stored(r.counter("monitor_server_batches_stored_total", "Batches that the log confirmed.")),
      copies(r.counter("monitor_server_batches_copies_total",
                       "Batches that were sent again but not appended again, because the log had them.")),
      contradictions(r.counter("monitor_server_batches_contradicting_total",
                               "Batches whose content differs from a stored batch with the same sequence.")),
      retried(r.counter("monitor_server_batches_retried_total", "Batches that agents were asked to send again.")),
      rejected_large(r.counter(kRejected, kRejectedHelp, {{"reason", "too_large"}})),
      rejected_invalid(r.counter(kRejected, kRejectedHelp, {{"reason", "invalid"}})),
      rejected_agent(r.counter(kRejected, kRejectedHelp, {{"reason", "wrong_agent"}})),
      rejected_log(r.counter(kRejected, kRejectedHelp, {{"reason", "log"}})),
      bytes(r.counter("monitor_server_received_bytes_total", "Bytes of batches received.")),
      points(r.counter("monitor_server_points_total", "Points in the batches that were appended.")),
      log_full(r.counter("monitor_server_log_full_total", "Times that a stream had to wait for the log.")),
      paused(r.counter("monitor_server_streams_paused_total", "Times that a stream had to wait for memory.")),
      streams_opened(r.counter("monitor_server_streams_opened_total", "Streams begun by agents.")),
      refused_wrong_agent(r.counter(kRefused, kRefusedHelp, {{"reason", "wrong_agent"}})),
      refused_no_identity(r.counter(kRefused, kRefusedHelp, {{"reason", "no_identity"}})),
      refused_revoked(r.counter(kRefused, kRefusedHelp, {{"reason", "revoked"}})),
      conflicts(
          r.counter("monitor_server_agent_id_conflicts_total", "Times that two live hosts used the same agent id.")),
      streams(r.gauge("monitor_server_streams", "Open streams.")),
      waiting_bytes(r.gauge("monitor_server_waiting_bytes", "Bytes of batches that wait for the log.")),
      paused_streams(r.gauge("monitor_server_streams_paused", "Streams that wait for memory.")),
      memory_bytes(r.gauge("monitor_server_memory_bytes", "Memory that batches use, bounded by --memory-limit.")),
      append_seconds(r.histogram("monitor_server_append_seconds",
                                 "Time from appending a batch to the log's confirmation.",
                                 telemetry::latency_bounds())) {
  for (size_t i = 0; i < limited.size(); ++i) {
    limited[i] = &r.counter("monitor_server_agent_limits_total", "Times that an agent exceeded a limit, by limit.",
                            {{"limit", std::string(name_of(static_cast<IdentityLimit>(i)))}});
  }
}

}  // namespace monitor::server
