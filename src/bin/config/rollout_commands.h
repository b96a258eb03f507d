// monitor-config rollout start, status, watch, pause, resume, abort, list and controller.
#pragma once

#include "base/disk.h"
#include "bin/config/context.h"
#include "bin/config/rollout_options.h"
#include "config/batch_store.h"

namespace monitor {

struct RolloutContext {
  const ConfigContext& config;
  config::BatchStore& store;
  Disk& disk;
  const config::PluginCatalog& plugins;
  std::string default_data;  // what judgements read if no option says it; empty: nothing
};

// Exit statuses: 0 done (start, watch), or shown; 1 the rollout failed or was aborted, or there is none; 64 a wrong
// option; 75 another rollout runs, or it is not in the state for this; 78 the document is not valid, or has failed
// before.
int run_rollout(const RolloutContext& context, const RolloutFlags& flags, const RolloutCommands& commands);

}  // namespace monitor
