// SpoolReader: chooses the batch that is sent next: fresh ones first, then returned ones, then the backlog in segments,
// oldest first, then the backlog in memory. The pacer of the send queue limits everything that is not fresh.
//
// The backlog has no index by sequence. Instead, a cursor moves over segments and memory: every batch that is neither
// sent nor in the send queue is at or after the cursor.
//
// Loop's thread only. The constructor's arguments must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/event_loop.h"
#include "base/trusted_clock.h"
#include "spool/batch_tracker.h"
#include "spool/scanner.h"
#include "spool/segment_store.h"
#include "stream/batch_source.h"

namespace monitor::agent {

struct SpoolReaderOptions {
  std::string folder;               // for log lines
  bool only_synced = false;         // gives out no record that a power loss could lose
  int64_t max_age_ns = 0;           // older batches are dropped instead of sent
  std::function<void()> wake = {};  // called when next() may have a batch that it did not have before
};

class SpoolReader {
 public:
  SpoolReader(SegmentStore& store, BatchTracker& tracker, Timers& timers, TrustedClock& trusted,
              SpoolReaderOptions options);
  ~SpoolReader() { close(); }

  void set_wake(std::function<void()> wake) { options_.wake = std::move(wake); }
  // The bytes are valid until the next call.
  std::optional<stream::Outgoing> next();

  // True if the cursor is at the end of the records on disk. Call before a batch is added.
  bool caught_up() const;
  void added(const KeptBatch& batch, bool was_caught_up);
  // A batch is in memory only again.
  void not_stored(uint64_t sequence);
  void segment_dropped(uint64_t number);
  // Time of the oldest waiting batch, as far as it is known without reading; 0 if no batch waits.
  int64_t oldest_time_ns() const;
  // Cancels its timer.
  void close();

  uint64_t damaged_bytes() const { return damaged_bytes_; }
  uint64_t disk_errors() const { return disk_errors_; }

 private:
  int64_t mono() const { return timers_.clock().mono_ns(); }
  bool sendable(uint64_t sequence);
  std::optional<stream::Outgoing> send_fresh();
  std::optional<stream::Outgoing> send_returned();
  std::optional<stream::Outgoing> replay_disk();
  std::optional<stream::Outgoing> replay_memory();
  bool open_scanner(SegmentInfo& segment);
  bool seek_segment();
  void pass_segment(SegmentInfo& segment);
  std::optional<stream::Outgoing> offer(const Found& found);
  Result<bool> read_record(const RecordRef& ref);
  void reading_failed(const Error& error);

  SegmentStore& store_;
  BatchTracker& tracker_;
  Timers& timers_;
  TrustedClock& trusted_;
  SpoolReaderOptions options_;

  RecordPosition cursor_;
  int64_t cursor_time_ns_ = 0;  // last tick of the record before the cursor, in the same segment
  uint64_t memory_cursor_ = 0;  // sequence
  std::shared_ptr<DiskFile> cursor_file_;
  std::optional<SegmentScanner> scanner_;
  std::string out_;  // the bytes that next() returned last
  int read_failures_ = 0;
  Timers::TimerId read_timer_ = 0;
  uint64_t damaged_bytes_ = 0;
  uint64_t disk_errors_ = 0;
};

}  // namespace monitor::agent
