// The agent's own metrics: read from its parts when they are asked for, so that nothing is paid when nobody asks.
#pragma once

#include "agent/agent.h"
#include "config/engine.h"
#include "outputs/stream/uplink.h"
#include "telemetry/http/http_server.h"
#include "telemetry/registry.h"

namespace monitor::agent {

// All of them must outlive AgentTelemetry. `source` may be a SimulatedSource, which has no collectors to tell of.
struct AgentParts {
  const Agent& agent;
  const Spool& spool;
  const Uplink& uplink;
  const config::ConfigEngine& engine;
  const TickSource* source;
};

class AgentTelemetry {
 public:
  explicit AgentTelemetry(AgentParts parts) : parts_(parts) {}
  // /metrics, /healthz, /readyz. The agent is ready when a configuration is in force and the server answers.
  telemetry::HttpHandler pages() const;

 private:
  std::string metrics_text() const;

  AgentParts parts_;
};

}  // namespace monitor::agent
