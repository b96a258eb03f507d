// FileSpool: a spool in files (docs/spool-format.md): a batch that has a sequence outlives the process.
//
// It never fails for good. While the disk takes nothing, or the folder cannot be used, batches wait in memory and are
// sent from there, and the disk is tried again. What may block for long (syncs, deletions) runs on the Worker.
//
//   append -> SegmentStore (files) -> SegmentSync (fsync)     SpoolReader (what is sent next) -> next
//                    BatchTracker (where each batch is, and what became of it)
//             Eviction (limits)          Recovery (start)          Checkpointer (checkpoint, then delete)
//
// Everything on the loop's thread. Disk, timers, worker and listener must outlive it; the worker's jobs do not need it.
// Destroyed without close(), it is as if the process had been killed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/trusted_clock.h"
#include "base/worker.h"
#include "spool/batch_tracker.h"
#include "spool/checkpointer.h"
#include "spool/eviction.h"
#include "spool/segment_store.h"
#include "spool/segment_sync.h"
#include "spool/spool.h"
#include "spool/spool_reader.h"

namespace monitor::agent {

struct FileSpoolOptions {
  static constexpr uint64_t kDefaultMaxBytes = uint64_t{1} << 30;
  static constexpr uint64_t kLeastMaxBytes = uint64_t{1} << 20;

  std::string folder;
  std::string incarnation;  // of this process
  uint64_t max_bytes = kDefaultMaxBytes;
  uint64_t memory_bytes = uint64_t{64} << 20;
  uint64_t segment_bytes = 0;  // 0: a 32nd of max_bytes, 64 KiB to 8 MiB
  SpoolFull full = SpoolFull::kDropOldest;
  SpoolSync sync = SpoolSync::k100Ms;
  // Whether a wall clock is believed that was not seen before: see trusted_clock.h.
  TrustedClock::Start clock_start = TrustedClock::Start::kUnknown;
  int64_t max_age_ns = int64_t{7} * 24 * 3600 * kNanosPerSecond;
};

class FileSpool final : public Spool, private SyncOwner, private CheckpointOwner {
 public:
  FileSpool(FileDisk& disk, Timers& timers, Worker& worker, SpoolListener& listener, FileSpoolOptions options);
  ~FileSpool() override;

  // Takes the folder, and what is in it; the listener is told of what was lost and what must still be told. The only
  // error is kAborted: another process has the folder, and is named. Anything else is tried again later.
  Status open();
  // A stop in order: what is known is handed to the worker to be written. Only destruction may follow.
  void close();
  // Called when next() may have something that it had not before.
  void set_wake(std::function<void()> wake);

  Status append(BatchInfo info, std::string bytes) override;
  void set_limits(uint64_t max_bytes, SpoolFull full) override;
  uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const override;
  std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const override;
  std::vector<SettledSequences> settled() const override { return tracker_.index().settled(); }
  size_t batches() const override { return tracker_.index().waiting(); }
  size_t bytes() const override { return store_.live_bytes() + tracker_.memory_bytes(); }
  int64_t oldest_time_ns() const override { return reader_.oldest_time_ns(); }
  bool has_unsent() const override { return tracker_.index().waiting() > tracker_.queue().in_flight(); }
  SpoolStats stats() const override;

  std::optional<stream::Outgoing> next() override { return reader_.next(); }
  void log_named(std::string_view log) override { listener_.on_log_named(log); }
  void acknowledged(uint64_t id) override;
  void rejected(uint64_t id, std::string_view reason) override;
  void returned(uint64_t id) override { tracker_.queue().returned(id); }

 private:
  static uint64_t segment_bytes_for(const FileSpoolOptions& options);

  Status try_open();
  bool may_write() const;
  Status store(KeptBatch& batch);
  void store_or_wait(KeptBatch& batch);
  void write_from_memory();
  void disk_failed(const Error& error);
  void try_disk_again();
  void lose_memory_batches();

  bool has_unsynced() const override;
  void on_synced(const SyncedFiles* files) override;
  void on_sync_failed(const SyncedFiles& files) override;
  void on_sync_finished() override;

  Checkpoint make_checkpoint() override;
  std::vector<uint64_t> retired_segments() const override;
  void collect() override;
  void on_deleted(const std::vector<uint64_t>& segments) override;
  void on_checkpoint_written() override;

  FileDisk& disk_;
  Timers& timers_;
  Worker& worker_;
  SpoolListener& listener_;
  FileSpoolOptions options_;
  TrustedClock trusted_;
  std::function<void()> wake_;

  SegmentStore store_;
  BatchTracker tracker_;
  SpoolReader reader_;
  Eviction eviction_;
  SegmentSync sync_;
  Checkpointer checkpointer_;

  std::unique_ptr<DiskLock> lock_;  // held: the folder is ours, and open
  int failures_ = 0;                // of the disk, one after another
  Timers::TimerId retry_timer_ = 0;
  bool closed_ = false;
  SpoolStats stats_;  // what is counted here; stats() adds what the parts count
};

}  // namespace monitor::agent
