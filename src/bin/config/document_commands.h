// monitor-config get, list and names.
#pragma once

#include <string>

#include "bin/config/context.h"

namespace monitor {

// Prints the document under `key`: "text" as stored, with its revision on standard error, or "json", an object with
// key, revision and document. Returns 1 if it does not exist.
int run_get(const ConfigContext& context, const std::string& key, const std::string& format);

// Prints the keys of all documents: "table" (one key per line) or "json" (one object per line).
int run_list(const ConfigContext& context, const std::string& format);

// Prints the names of all configured "agents" or "groups", one per line, for completion.
int run_names(const ConfigContext& context, const std::string& kind);

}  // namespace monitor
