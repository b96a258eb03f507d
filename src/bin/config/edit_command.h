// monitor-config edit.
#pragma once

#include <string>

#include "bin/config/context.h"
#include "config/validate.h"

namespace monitor {

struct EditFlags {
  bool yes = false;  // writes without asking
};

// Opens the document in the user's editor, validates the result, shows the difference and, on a terminal, asks; then
// writes it if the document is still the one that was read. Whatever goes wrong, the edited text stays in a file, which
// is named.
int run_edit(const ConfigContext& context, const std::string& key, const EditFlags& flags,
             const config::PluginCatalog& plugins);

}  // namespace monitor
