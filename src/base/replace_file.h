// Replaces a file in an open folder: the whole new content or the old one, whatever happens. Internal to base.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor {

// `name` is one segment; a link of that name is replaced, not followed. Written beside it, synced, renamed, the folder
// synced. `path` is for errors. Thread-safe.
Status replace_file(int folder, const std::string& name, std::string_view content, mode_t mode,
                    const std::string& path);

}  // namespace monitor
