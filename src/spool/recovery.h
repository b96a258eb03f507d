// Recovery: takes over what a start finds in the spool's folder. Batches that are in segments and not resolved wait
// again. Batches that should be there but are not are reported as damaged. Runs that ended without a report are
// reported.
//
// Does no I/O except logging: changes store and tracker, and calls the listener. Loop's thread only.
#pragma once

#include <string>
#include <vector>

#include "spool/batch_tracker.h"
#include "spool/checkpoint.h"
#include "spool/folder.h"
#include "spool/segment_store.h"
#include "spool/spool.h"

namespace monitor::agent {

class Recovery {
 public:
  // `checkpoint`: nullptr if there is none.
  Recovery(SegmentStore& store, BatchTracker& tracker, SpoolListener& listener, const Checkpoint* checkpoint)
      : store_(store), tracker_(tracker), listener_(listener), checkpoint_(checkpoint) {}

  void run(FolderContent& content);

 private:
  std::vector<std::string> incarnations(const FolderContent& content) const;
  const IncarnationState* state_of(const std::string& incarnation) const;
  void adopt(const std::string& incarnation);
  void lose_missing(const std::string& incarnation);
  void adopt_ends(PendingReports& reports);

  SegmentStore& store_;
  BatchTracker& tracker_;
  SpoolListener& listener_;
  const Checkpoint* checkpoint_;
};

// Logs what was found in the folder.
void log_recovery(const std::string& folder, const FolderContent& content, const SegmentStore& store, uint64_t waiting,
                  uint64_t damaged_bytes);

}  // namespace monitor::agent
