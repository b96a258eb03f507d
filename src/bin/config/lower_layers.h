// What the layers below a document set.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "bin/config/context.h"
#include "config/edit.h"

namespace monitor {

// The values below the document under `key`, as JSON: for an agent's own those of its groups and the defaults; for a
// group the defaults; for an override everything else of the agent, or the group's own and the defaults. Only read if
// `changes` add to or remove from a list; else "{}". Errors of the store; kInvalidArgument: a layer is not valid.
Result<std::string> lower_layers(const ConfigContext& context, const std::string& key,
                                 const std::vector<config::FieldChange>& changes);

}  // namespace monitor
