// LastGood: saves the last applied configuration on disk, for a start without a source. It stores the keys rather than
// the settings, so that overrides still end on time. One file, a checksum followed by JSON, replaced atomically.
//
// Thread contract: the loop's thread, which never waits for a write. Disk and worker must outlive it.
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

  // Logs a failure and returns nothing: the defaults apply.
  std::optional<KeySet> load() const;
  void keep(const KeySet& keys);
  const std::string& path() const { return path_; }

 private:
  Disk& disk_;
  std::string path_;
  LatestFile file_;
};

}  // namespace monitor::config
