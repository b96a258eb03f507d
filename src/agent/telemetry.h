// The agent's own metrics. They are computed on request, so they cost nothing otherwise.
#pragma once

#include "agent/agent.h"
#include "config/engine.h"
#include "inputs/tick_source.h"
#include "outputs/output.h"
#include "telemetry/http/http_server.h"
#include "telemetry/registry.h"

namespace monitor::agent {

// All parts must outlive AgentTelemetry.
struct AgentParts {
  const Agent& agent;
  const Spool& spool;
  const Output& output;
  const config::ConfigEngine& engine;
  const TickSource& source;
};

class AgentTelemetry {
 public:
  explicit AgentTelemetry(AgentParts parts) : parts_(parts) {}
  // Serves /metrics, /healthz and /readyz. The agent is ready when a configuration is applied and the output delivers.
  telemetry::HttpHandler pages() const;

 private:
  std::string metrics_text() const;

  AgentParts parts_;
};

}  // namespace monitor::agent
