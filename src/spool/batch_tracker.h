// BatchTracker: the batches that wait: where each one is (memory, segments, send queue), and its outcome. Every batch
// leaves it once: resolved, or lost with a drop record.
//
// Loop's thread only. Store and listener must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "base/interval_set.h"
#include "spool/pending_index.h"
#include "spool/segment_store.h"
#include "spool/send_queue.h"
#include "spool/spool.h"

namespace monitor::agent {

// A batch of this process whose bytes are in memory: it is fresh, not synced, or in no segment.
struct KeptBatch {
  BatchInfo info;
  std::string bytes;
  RecordPosition at;  // segment 0: in memory only
  bool synced = false;
};

class BatchTracker {
 public:
  // `on_change` is called when the next checkpoint will differ from the last one.
  BatchTracker(SegmentStore& store, SpoolListener& listener, std::string incarnation, std::function<void()> on_change);

  PendingIndex& index() { return index_; }
  const PendingIndex& index() const { return index_; }
  SendQueue& queue() { return queue_; }
  const SendQueue& queue() const { return queue_; }
  const std::string& incarnation() const { return incarnation_; }

  // --- Batches whose bytes are in memory.
  std::map<uint64_t, KeptBatch>& kept() { return kept_; }
  const std::map<uint64_t, KeptBatch>& kept() const { return kept_; }
  KeptBatch* find_kept(uint64_t sequence);
  // Adds a new batch, which is in memory only.
  KeptBatch& add(BatchInfo info, std::string bytes);
  void stored(KeptBatch& batch, RecordPosition at);
  // The batch is in memory only again.
  void not_stored(KeptBatch& batch);
  // Frees the bytes of a batch that is synced and not fresh.
  void release(uint64_t sequence);
  uint64_t memory_batches() const { return memory_batches_; }  // batches in no segment
  uint64_t memory_bytes() const { return memory_bytes_; }      // of those batches

  // --- Outcomes.
  void resolve(const BatchInfo& batch);
  void lose(const metrics::Drop& drop);
  // Uses as few records as the sequences have ranges. Ticks and points are counted as far as they are `known`.
  void lose_each(const IntervalSet& sequences, const std::map<uint64_t, BatchInfo>& known,
                 const std::string& incarnation, std::string_view reason);
  // The segment's record of the batch is unreadable: the batch is lost unless it is also elsewhere.
  void lose_damaged(SegmentInfo& segment, const BatchInfo& batch);
  uint64_t damaged_batches() const { return damaged_batches_; }

  // --- What waits in a segment.
  // Sequences of the segment's incarnation that are also in other segments or in memory.
  IntervalSet elsewhere(const SegmentInfo& segment) const;
  // Sequences that wait in the segment and are not in the send queue.
  IntervalSet unsent_in(const SegmentInfo& segment) const;
  bool is_resolved(const SegmentInfo& segment) const;

 private:
  void drop_kept(uint64_t first, uint64_t last);

  SegmentStore& store_;
  SpoolListener& listener_;
  const std::string incarnation_;
  std::function<void()> on_change_;
  PendingIndex index_;
  SendQueue queue_;
  std::map<uint64_t, KeptBatch> kept_;
  uint64_t memory_batches_ = 0;
  uint64_t memory_bytes_ = 0;
  uint64_t damaged_batches_ = 0;
};

}  // namespace monitor::agent
