// monitor-config override set, list and end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bin/config/context.h"
#include "config/edit.h"

namespace monitor {

struct OverrideFlags {
  std::string name = "manual";
  int64_t for_ns = 0;
};

int run_override_set(const ConfigContext& context, const OverrideFlags& flags,
                     const std::vector<config::FieldChange>& changes, const config::PluginCatalog& plugins);
int run_override_list(const ConfigContext& context, const std::string& format);
// Returns 1 if no override has that name.
int run_override_end(const ConfigContext& context, const OverrideFlags& flags);

}  // namespace monitor
