// The last configuration that was applied, kept on disk for a start without a source: the keys as they were heard, so
// that what ends by itself still does. One file: a checksum, then JSON; written whole or not at all.
//
// On the loop's thread, which does not wait for a write. Disk and worker must outlive it.
#pragma once

#include <optional>
#include <string>

#include "base/disk.h"
#include "base/latest_file.h"
#include "base/worker.h"
#include "config/source.h"

namespace monitor::config {

class LastGood {
 public:
  LastGood(Disk& disk, Worker& worker, std::string path);

  // Failing is logged: whoever starts has the defaults.
  std::optional<KeySet> load() const;
  void keep(const KeySet& keys);
  const std::string& path() const { return path_; }

 private:
  Disk& disk_;
  std::string path_;
  LatestFile file_;
};

}  // namespace monitor::config
