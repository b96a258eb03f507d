// FileTrail: the records of one document in files, history/config/a.jsonl for config/a.json: a line of JSON for each
// record, oldest first. A change is three writes: its records go to history/config/a.pending, then the document is
// written, then the records move to the trail. If the program ends in between, the next reader sees by the document
// whether the pending change was made. Lines that are damaged are skipped; a trail never prevents a change because of
// them.
//
// Thread contract: as the store; begin() and finish() under the lock of the folder's writers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/disk.h"
#include "config/history/trail.h"

namespace monitor::config {

class FileTrail {
 public:
  // `key` has a history.
  FileTrail(Disk& disk, std::string folder, const std::string& key);

  // The records, oldest first, with those of a pending change that was made: `current` says so.
  Result<std::vector<ChangeRecord>> read(const std::optional<std::string>& current);
  // Before the document is written; `records` are those of read(). Errors: nothing may be changed then.
  Status begin(const std::vector<ChangeRecord>& records, const TrailStep& step);
  // After it was written. If this fails, the records stay pending.
  void finish();
  // The document could not be written.
  void cancel();

 private:
  Disk& disk_;
  const std::string folder_;
  const std::string trail_;
  const std::string pending_;
  bool unsettled_ = false;  // read() has found pending records
  std::string next_;        // content of the trail after the change
};

}  // namespace monitor::config
