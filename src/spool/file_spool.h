// A spool in files (docs/spool-format.md): what has a sequence outlives the process.
//
// It never fails for good. While the disk takes nothing, or the folder cannot be used, batches wait in memory and are
// sent from there, and the disk is tried again. What may block for long (syncs, deleting) is done by the Worker.
//
// Everything on the loop's thread. Disk, timers, worker and listener must outlive it; the worker's jobs do not need it.
// Destroyed without close(), it is as if the process had been killed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/event_loop.h"
#include "base/trusted_clock.h"
#include "base/worker.h"
#include "spool/book.h"
#include "spool/folder.h"
#include "spool/outbox.h"
#include "spool/scanner.h"
#include "spool/segment_writer.h"
#include "spool/spool.h"

namespace monitor::agent {

// When what was written is synced: before it is sent; within 100 ms, if it is not acknowledged by then; never.
enum class SpoolSync { kBatch, k100Ms, kNever };

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

class FileSpool final : public Spool {
 public:
  FileSpool(FileDisk& disk, Timers& timers, Worker& worker, SpoolListener& listener, FileSpoolOptions options);
  ~FileSpool() override;

  // Takes the folder, and what is in it; the listener is told of what was lost and what must still be told. The only
  // error is kAborted: another process has the folder, and is named. Anything else is tried again later.
  Status open();
  // A stop in order: what is known is handed to the worker to be written. Only destruction may follow.
  void close();
  // Called when next() may have something that it had not before.
  void set_wake(std::function<void()> wake) { wake_ = std::move(wake); }

  Status append(BatchInfo info, std::string bytes) override;
  void set_limits(uint64_t max_bytes, SpoolFull full) override;
  uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const override;
  std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const override;
  size_t batches() const override { return book_.waiting(); }
  size_t bytes() const override { return live_bytes_ + memory_used_; }
  int64_t oldest_time_ns() const override;
  bool has_unsent() const override { return book_.waiting() > outbox_.in_flight(); }
  SpoolStats stats() const override;

  std::optional<stream::Outgoing> next() override;
  void acknowledged(uint64_t id) override;
  void rejected(uint64_t id, std::string_view reason) override;
  void returned(uint64_t id) override { outbox_.returned(id); }

 private:
  // A batch of this process whose bytes are in memory: it has just come, is not synced, or is nowhere else.
  struct Kept {
    BatchInfo info;
    std::string bytes;
    Location at;
    bool synced = false;
  };
  struct SyncJob;
  struct KeepJob;

  static uint64_t segment_bytes_for(const FileSpoolOptions& options);

  // Opening: file_spool_open.cc
  Status try_open();
  void adopt(FolderContent content, const Checkpoint& checkpoint);
  void adopt_incarnation(const std::string& incarnation, const IncarnationState* state);
  void lose_missing(const std::string& incarnation);
  void adopt_ends(Tellings& tellings);
  void sync_recovered();
  void report_folder(const FolderContent& content) const;

  // Writing: file_spool_write.cc
  bool make_room(uint64_t record_bytes, uint64_t memory_bytes);
  bool make_room_in_memory(uint64_t bytes);
  bool may_write() const;
  Status store(Kept& kept);
  void store_or_wait(Kept& kept);
  Status begin_segment();
  void leave_segment(bool seal);
  void disk_failed(const Error& error);
  void try_disk_again();
  void write_from_memory();
  void drop_kept(uint64_t first, uint64_t last);
  void release(uint64_t sequence);
  void sync_soon();
  void start_sync();
  void sync_done(const SyncJob& job);
  void take_back(const SyncJob& job);

  // Sending: file_spool.cc
  bool caught_up() const;
  void enqueue(const Kept& kept, bool was_caught_up);
  bool sendable(uint64_t sequence) const;
  std::optional<stream::Outgoing> send_fresh();
  std::optional<stream::Outgoing> send_returned();
  std::optional<stream::Outgoing> replay_disk();
  std::optional<stream::Outgoing> replay_memory();
  bool seek_segment();
  SequenceSet unsent_in(const SegmentInfo& segment) const;
  void pass_segment(SegmentInfo& segment);
  std::optional<stream::Outgoing> offer(const Found& found);
  Result<bool> read_record(const Ref& ref);
  Result<std::shared_ptr<DiskFile>> file_of(uint64_t segment);
  void reading_failed(const Error& error);
  int64_t mono() const { return timers_.clock().mono_ns(); }

  // Settling and deleting: file_spool_keep.cc
  void settle(const std::string& incarnation, uint64_t sequence);
  void lose(const metrics::Drop& drop);
  // As few losses as have neighbouring sequences.
  void lose_each(const SequenceSet& sequences, const std::map<uint64_t, BatchInfo>& known,
                 const std::string& incarnation, std::string_view reason);
  SequenceSet elsewhere(const SegmentInfo& segment) const;
  void damaged(SegmentInfo& segment, const BatchInfo& info);
  bool is_settled(const SegmentInfo& segment) const;
  void drop_segment(SegmentInfo& segment, std::string_view reason);
  bool drop_oldest();
  void drop_old();
  void bury(SegmentInfo& segment);
  void sweep();
  void changed();
  void keep(bool sync);
  void keep_done(const KeepJob& job);
  void forget_incarnations();
  Checkpoint checkpoint() const;

  FileDisk& disk_;
  Timers& timers_;
  Worker& worker_;
  SpoolListener& listener_;
  FileSpoolOptions options_;
  TrustedClock trusted_;
  uint64_t segment_bytes_;
  std::function<void()> wake_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);  // jobs hold it weakly

  std::unique_ptr<DiskLock> lock_;  // held: the folder is ours, and open
  std::optional<CheckpointFile> checkpoint_;
  std::map<uint64_t, SegmentInfo> segments_;
  std::set<uint64_t> dead_;  // segments to be deleted after the next checkpoint
  uint64_t highest_ = 0;     // number of a segment
  uint64_t live_bytes_ = 0;  // of segments that are not dead
  uint64_t disk_bytes_ = 0;  // of all

  Book book_;
  Outbox outbox_;
  std::string out_;  // what next() gave last

  std::unique_ptr<SegmentWriter> writer_;
  std::map<uint64_t, Kept> kept_;
  uint64_t memory_batches_ = 0;  // of kept_, those that are nowhere else
  uint64_t memory_used_ = 0;     // their bytes
  int failures_ = 0;             // of the disk, one after another
  Timers::TimerId retry_timer_ = 0;

  std::map<uint64_t, std::shared_ptr<DiskFile>> unsynced_;  // by segment
  bool folder_unsynced_ = false;
  bool sync_running_ = false;
  bool sync_again_ = false;
  Timers::TimerId sync_timer_ = 0;

  // All that is unsent and stands not in the outbox is at or behind these.
  Location cursor_;
  uint64_t memory_cursor_ = 0;  // sequence
  std::shared_ptr<DiskFile> cursor_file_;
  std::optional<SegmentScanner> scanner_;
  int64_t cursor_time_ns_ = 0;
  std::pair<uint64_t, std::shared_ptr<DiskFile>> open_file_;  // the last one that was read by place
  int read_failures_ = 0;
  Timers::TimerId read_timer_ = 0;

  bool keep_running_ = false;
  bool keep_again_ = false;
  bool keep_synced_ = false;  // the next must be synced
  int keep_failures_ = 0;
  Timers::TimerId keep_timer_ = 0;
  int64_t age_checked_ns_ = 0;
  bool closed_ = false;
  SpoolStats stats_;
};

}  // namespace monitor::agent
