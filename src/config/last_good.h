// The last configuration that was applied, kept on disk for a start without a source: the keys as they were heard, so
// that what ends by itself still does. One file: a checksum, then JSON; written whole or not at all.
#pragma once

#include <optional>
#include <string>

#include "base/disk.h"
#include "config/source.h"

namespace monitor::config {

// Failing is logged: whoever starts has the defaults.
std::optional<KeySet> load_last_good(Disk& disk, const std::string& path);
void save_last_good(Disk& disk, const std::string& path, const KeySet& keys);

}  // namespace monitor::config
