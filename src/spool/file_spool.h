// FileSpool: a spool in files (docs/spool-format.md). A batch that has a sequence outlives the process.
//
// It never fails permanently. While the disk accepts nothing, or the folder cannot be used, batches wait in memory, are
// sent from there, and the disk is tried again. Operations that may block for long (syncs, deletions) run on the
// Worker.
//
//   append -> SegmentStore (files) -> SegmentSync (fsync)     SpoolReader (what is sent next) -> next
//                    BatchTracker (where each batch is, and what became of it)
//             Eviction (limits)          Recovery (start)          Checkpointer (checkpoint, then delete)
//
// Loop's thread only. Disk, timers, worker and listener must outlive it; the worker's jobs do not need it. Destruction
// without close() is like killing the process.
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
  uint64_t segment_bytes = 0;  // 0: 1/32 of max_bytes, between 64 KiB and 8 MiB
  SpoolFull full = SpoolFull::kDropOldest;
  SpoolSync sync = SpoolSync::k100Ms;
  // Whether to trust the first reading of the wall clock (trusted_clock.h).
  TrustedClock::Start clock_start = TrustedClock::Start::kUnknown;
  int64_t max_age_ns = int64_t{7} * 24 * 3600 * kNanosPerSecond;
};

class FileSpool final : public Spool, private SyncOwner, private CheckpointOwner {
 public:
  FileSpool(FileDisk& disk, Timers& timers, Worker& worker, SpoolListener& listener, FileSpoolOptions options);
  ~FileSpool() override;

  // Locks the folder and takes over its content. Reports to the listener what was lost, and what must still be
  // reported. The only error is kAborted: another process, which the message names, has the folder. Other failures are
  // retried later.
  Status open();
  // Orderly stop: passes everything to the worker to be written. Only destruction may follow.
  void close();
  // `wake` is called when next() may have a batch that it did not have before.
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
  void rejected(uint64_t id, stream::RejectedBy by, std::string_view reason) override;
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

  std::unique_ptr<DiskLock> lock_;  // held: the folder is locked and open
  int failures_ = 0;                // consecutive failures of the disk
  Timers::TimerId retry_timer_ = 0;
  bool closed_ = false;
  SpoolStats stats_;  // counted here; stats() adds the counts of the parts
};

}  // namespace monitor::agent
