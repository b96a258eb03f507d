// SegmentSync: syncs written segments on the worker, at most one job at a time.
//
// Thread contract: everything but the jobs on the loop's thread. The constructor's arguments must outlive it; jobs need
// only the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/worker.h"
#include "spool/segment_store.h"

namespace monitor::agent {

// When a batch is synced: before it is sent; within 100 ms, unless it is acknowledged by then; or never.
enum class SpoolSync { kBatch, k100Ms, kNever };

// The files that one job syncs.
struct SyncedFiles {
  struct File {
    std::shared_ptr<DiskFile> file;
    uint64_t size = 0;  // at the start of the job; later records are not covered
  };
  std::map<uint64_t, File> files;  // by segment
  bool folder = false;             // also the folder's entries
  Status status;

  bool covers(const RecordPosition& at) const {
    const auto file = files.find(at.segment);
    return file != files.end() && at.offset < file->second.size;
  }
};

class SyncOwner {
 public:
  virtual ~SyncOwner() = default;
  // True if a record is on disk, not synced, and still needed.
  virtual bool has_unsynced() const = 0;
  // Everything that a power loss could lose is synced, or was acknowledged in the meantime. `files` is nullptr if this
  // required no job.
  virtual void on_synced(const SyncedFiles* files) = 0;
  // Everything written since the last success may be lost.
  virtual void on_sync_failed(const SyncedFiles& files) = 0;
  // Called after either of them, once the next job has started.
  virtual void on_sync_finished() = 0;
};

class SegmentSync {
 public:
  SegmentSync(FileDisk& disk, Timers& timers, Worker& worker, SegmentStore& store, std::string folder, SpoolSync mode,
              SyncOwner& owner);
  ~SegmentSync() { stop_timer(); }
  SegmentSync(const SegmentSync&) = delete;
  SegmentSync& operator=(const SegmentSync&) = delete;

  SpoolSync mode() const { return mode_; }
  // Call after a record was written to the current segment. Not used with kNever.
  void written();
  // Call once, after the store was opened. A killed run may have written records without syncing them, and a power loss
  // could lose them before they are sent.
  void sync_earlier_segments();
  // A batch is no longer kept. If nothing is left to sync, the timer need not wake anybody.
  void settled();
  void stop_timer();
  // From now on no job starts, and the owner is not called. Returns a function that syncs what no job has synced.
  std::function<void()> close();

  uint64_t syncs() const { return syncs_; }
  uint64_t disk_errors() const { return disk_errors_; }  // for earlier segments; the owner counts the others

 private:
  void sync_soon();
  void start();
  void finished(const SyncedFiles& job);
  struct EarlierJob;
  void finished(const EarlierJob& job);

  FileDisk& disk_;
  Timers& timers_;
  Worker& worker_;
  SegmentStore& store_;
  const std::string folder_;
  const SpoolSync mode_;
  SyncOwner& owner_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // jobs hold a weak reference
  std::map<uint64_t, std::shared_ptr<DiskFile>> unsynced_;      // by segment
  bool running_ = false;
  bool again_ = false;
  bool closed_ = false;
  Timers::TimerId timer_ = 0;
  uint64_t syncs_ = 0;
  uint64_t disk_errors_ = 0;
};

}  // namespace monitor::agent
