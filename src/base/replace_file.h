// Replaces a file in an open folder atomically. Internal to base.
#pragma once

#include <sys/types.h>

#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor {

// `name` is one segment; a link of that name is replaced, not followed. Writes a temporary file, fsyncs it, renames it,
// and fsyncs the folder. `path` is only for errors. Thread-safe.
Status replace_file(int folder, const std::string& name, std::string_view content, mode_t mode,
                    const std::string& path);

}  // namespace monitor
