#include "spool/batch_tracker.h"

#include <utility>

namespace monitor::agent {

BatchTracker::BatchTracker(SegmentStore& store, SpoolListener& listener, std::string incarnation,
                           std::function<void()> on_change)
    : store_(store), listener_(listener), incarnation_(std::move(incarnation)), on_change_(std::move(on_change)) {
  index_.entry(incarnation_);
}

KeptBatch* BatchTracker::find_kept(uint64_t sequence) {
  const auto it = kept_.find(sequence);
  return it == kept_.end() ? nullptr : &it->second;
}

KeptBatch& BatchTracker::add(BatchInfo info, std::string bytes) {
  index_.wait(info.incarnation, info.sequence, info.last_time_ns);
  KeptBatch& kept = kept_[info.sequence];
  kept = {std::move(info), std::move(bytes), {}, false};
  ++memory_batches_;
  memory_bytes_ += kept.bytes.size();
  return kept;
}

void BatchTracker::stored(KeptBatch& batch, RecordPosition at) {
  batch.at = at;
  --memory_batches_;
  memory_bytes_ -= batch.bytes.size();
  queue_.move(batch.info.incarnation, batch.info.sequence, at);
}

void BatchTracker::not_stored(KeptBatch& batch) {
  batch.at = {};
  ++memory_batches_;
  memory_bytes_ += batch.bytes.size();
  queue_.move(incarnation_, batch.info.sequence, {});
}

void BatchTracker::release(uint64_t sequence) {
  const auto it = kept_.find(sequence);
  // The bytes are needed until the record is synced, because a failed sync makes the spool write it again. A fresh
  // batch is sent from memory.
  if (it == kept_.end() || it->second.at.segment == 0 || !it->second.synced) return;
  if (!queue_.is_fresh(incarnation_, sequence)) kept_.erase(it);
}

void BatchTracker::drop_kept(uint64_t first, uint64_t last) {
  for (auto it = kept_.lower_bound(first); it != kept_.end() && it->first <= last;) {
    if (it->second.at.segment == 0) {
      --memory_batches_;
      memory_bytes_ -= it->second.bytes.size();
    }
    it = kept_.erase(it);
  }
}

void BatchTracker::resolve(const BatchInfo& batch) {
  index_.settle(batch.incarnation, batch.sequence);
  if (batch.incarnation == incarnation_) drop_kept(batch.sequence, batch.sequence);
  on_change_();
}

void BatchTracker::lose(const metrics::Drop& drop) {
  queue_.forget(drop.incarnation, drop.first_sequence, drop.last_sequence);
  index_.entry(drop.incarnation).waiting.remove(drop.first_sequence, drop.last_sequence);
  if (drop.incarnation == incarnation_) drop_kept(drop.first_sequence, drop.last_sequence);
  on_change_();
  if (drop.reason == metrics::reason::kDamaged) damaged_batches_ += drop.batches;
  listener_.on_lost(drop);
}

void BatchTracker::lose_each(const IntervalSet& sequences, const std::map<uint64_t, BatchInfo>& known,
                             const std::string& incarnation, std::string_view reason) {
  for (const auto& [first, last] : sequences.intervals()) {
    metrics::Drop drop = drop_of_range(incarnation, first, last, metrics::stage::kSpool, reason);
    for (auto it = known.lower_bound(first); it != known.end() && it->first <= last; ++it) {
      const BatchInfo& info = it->second;
      drop.ticks += info.ticks;
      drop.points += info.points;
      if (drop.first_time_ns == 0) drop.first_time_ns = info.first_time_ns;
      if (info.last_time_ns != 0) drop.last_time_ns = info.last_time_ns;
    }
    lose(drop);
  }
}

void BatchTracker::lose_damaged(SegmentInfo& segment, const BatchInfo& batch) {
  segment.sequences.remove(batch.sequence);
  // There may be another copy: after a failed sync, batches are written again to another segment.
  if (elsewhere(segment).contains(batch.sequence)) return;
  lose(drop_of(batch, metrics::stage::kSpool, metrics::reason::kDamaged));
}

IntervalSet BatchTracker::elsewhere(const SegmentInfo& segment) const {
  IntervalSet result;
  for (const auto& [number, other] : store_.segments()) {
    const bool counts = number != segment.number && !store_.is_retired(number);
    if (counts && other.incarnation == segment.incarnation) result.add(other.sequences);
  }
  if (segment.incarnation != incarnation_) return result;
  for (const auto& [sequence, kept] : kept_) {
    if (kept.at.segment != segment.number) result.add(sequence);
  }
  return result;
}

IntervalSet BatchTracker::unsent_in(const SegmentInfo& segment) const {
  const PendingIndex::Entry* const entry = index_.find(segment.incarnation);
  if (entry == nullptr || entry->waiting.empty()) return {};
  IntervalSet here = entry->waiting.intersection(segment.sequences);
  here.remove(queue_.standing(segment.incarnation));
  return here;
}

bool BatchTracker::is_resolved(const SegmentInfo& segment) const {
  const PendingIndex::Entry* const entry = index_.find(segment.incarnation);
  return entry == nullptr || !entry->waiting.intersects(segment.sequences);
}

}  // namespace monitor::agent
