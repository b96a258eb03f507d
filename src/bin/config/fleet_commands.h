// monitor-config status, wait and explain.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "bin/config/context.h"
#include "config/edit.h"

namespace monitor {

struct StatusFlags {
  bool watch = false;
  std::string format = "table";
};
// Lists all agents, those of a group, or one. Returns 1 for a named agent that was never seen.
int run_status(const ConfigContext& context, const StatusFlags& flags);

struct WaitFlags {
  std::optional<int64_t> revision;
  int64_t timeout_ns = 30 * kNanosPerSecond;
};
// Returns 0 when all agents have applied the documents; 75 after the timeout or a failure.
int run_wait(const ConfigContext& context, const WaitFlags& flags);

// Prints an agent's merged document with the origin of every value; 78 if it is invalid.
int run_explain(const ConfigContext& context, const std::string& format, const config::PluginCatalog& plugins);

// Checks that every live agent that a change affects is new enough for it. Errors: kInvalidArgument for the first agent
// that is not; errors of the store.
Status check_versions(const ConfigContext& context, const std::vector<config::FieldChange>& changes);
// The same for agents that have been read already.
Status check_versions(const std::vector<config::FleetRow>& rows, const std::vector<config::FieldChange>& changes);

}  // namespace monitor
