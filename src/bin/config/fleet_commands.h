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
// Lists the fleet, or the agents of a group, or one. An agent that is asked for by name and was never seen: 1.
int run_status(const ConfigContext& context, const StatusFlags& flags);

struct WaitFlags {
  std::optional<int64_t> revision;
  int64_t timeout_ns = 30 * kNanosPerSecond;
};
// 0 when all have applied; 75 when they have not in time, or one has failed.
int run_wait(const ConfigContext& context, const WaitFlags& flags);

// The merged document of an agent, with the origin of every value; 78 when it is not valid.
int run_explain(const ConfigContext& context, const std::string& format, const config::PluginCatalog& plugins);

// Whether every agent that lives, and that a change is about, is new enough for it. Errors: kInvalidArgument for the
// first that is not; the store's.
Status check_versions(const ConfigContext& context, const std::vector<config::FieldChange>& changes);

}  // namespace monitor
