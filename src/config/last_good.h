// LastGood: saves the last applied configuration on disk, for a start without a source. It stores the keys instead of
// the settings, so that overrides still end on time. One file, replaced atomically: a checksum, then JSON.
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

  // Returns nothing if there is no usable file, and logs why; the defaults then apply.
  std::optional<KeySet> load() const;
  void keep(const KeySet& keys);
  const std::string& path() const { return path_; }

 private:
  Disk& disk_;
  std::string path_;
  LatestFile file_;
};

}  // namespace monitor::config
