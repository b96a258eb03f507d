// monitor-config get, list and names: what is stored, for people and for other programs.
#pragma once

#include <string>

#include "bin/config/context.h"

namespace monitor {

// Prints the document under `key`: "text" as it is stored, with its revision on standard error, or "json", one object
// with key, revision and document. 1 when there is none.
int run_get(const ConfigContext& context, const std::string& key, const std::string& format);

// Prints the keys of the documents that there are: "table" a key a line, or "json" an object a line.
int run_list(const ConfigContext& context, const std::string& format);

// Prints the names of the "agents" or "groups" that the configuration knows, one a line: for completion.
int run_names(const ConfigContext& context, const std::string& kind);

}  // namespace monitor
