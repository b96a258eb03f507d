#include "spool/eviction.h"

#include <algorithm>
#include <utility>

namespace monitor::agent {

namespace {

constexpr int64_t kAgeEvery = 60 * kNanosPerSecond;

}  // namespace

Eviction::Eviction(SegmentStore& store, BatchTracker& tracker, SpoolReader& reader, EvictionLimits limits,
                   std::function<void()> collect, std::function<void()> retired)
    : store_(store),
      tracker_(tracker),
      reader_(reader),
      limits_(limits),
      collect_(std::move(collect)),
      retired_(std::move(retired)) {}

void Eviction::set_limits(uint64_t max_bytes, SpoolFull full) {
  limits_.max_bytes = max_bytes;
  limits_.full = full;
}

bool Eviction::make_room(uint64_t record_bytes, uint64_t payload_bytes) {
  // The record may also require the header of a new segment and the seal of the old one.
  const uint64_t needed = record_bytes + kSegmentHeaderBytes + kSealBytes;
  if (needed > limits_.max_bytes) return false;
  if (store_.live_bytes() + needed > limits_.max_bytes) collect_();
  while (store_.live_bytes() + needed > limits_.max_bytes) {
    if (limits_.full == SpoolFull::kDropNewest || !drop_oldest()) return false;
  }
  return make_room_in_memory(payload_bytes);
}

bool Eviction::make_room_in_memory(uint64_t bytes) {
  while (tracker_.memory_batches() > 0 && tracker_.memory_bytes() + bytes > limits_.memory_bytes) {
    if (limits_.full == SpoolFull::kDropNewest) return false;
    const auto& kept = tracker_.kept();
    const auto oldest =
        std::find_if(kept.begin(), kept.end(), [](const auto& one) { return one.second.at.segment == 0; });
    if (oldest == kept.end()) break;
    tracker_.lose(drop_of(oldest->second.info, metrics::stage::kSpool, metrics::reason::kFull));
  }
  return bytes <= limits_.memory_bytes;
}

bool Eviction::drop_oldest() {
  auto& segments = store_.segments();
  const auto oldest =
      std::find_if(segments.begin(), segments.end(), [this](const auto& one) { return !store_.is_retired(one.first); });
  if (oldest == segments.end()) return false;
  drop_segment(oldest->second, metrics::reason::kFull);
  return true;
}

// The headers contain ticks and points. A batch whose header cannot be read is counted without them.
std::map<uint64_t, BatchInfo> Eviction::headers_of(const SegmentInfo& segment, const IntervalSet& sequences) {
  std::map<uint64_t, BatchInfo> known;
  const auto file = store_.file_of(segment.number);
  if (!file || sequences.empty()) return known;
  SegmentScanner scanner(**file, segment.number, segment.size, segment.begin, SegmentScanner::Read::kHeaders);
  scanner.give_up();
  while (true) {
    const auto found = scanner.next();
    if (!found || found->kind == Found::Kind::kEnd) break;
    if (found->kind != Found::Kind::kRecord || found->header.kind != RecordKind::kBatch) continue;
    if (sequences.contains(found->header.sequence)) known[found->header.sequence] = batch_info(found->header);
  }
  return known;
}

void Eviction::drop_segment(SegmentInfo& segment, std::string_view reason) {
  if (store_.is_written(segment.number)) store_.end_segment(false);
  const std::string incarnation = segment.incarnation;
  IntervalSet lost;
  if (const PendingIndex::Entry* const entry = tracker_.index().find(incarnation)) {
    lost = entry->waiting.intersection(segment.sequences);
    lost.remove(tracker_.elsewhere(segment));
  }
  const auto known = headers_of(segment, lost);
  reader_.segment_dropped(segment.number);
  (void)store_.retire(segment);
  tracker_.lose_each(lost, known, incarnation, reason);
  retired_();
}

void Eviction::drop_old(int64_t mono_ns, TrustedClock& trusted) {
  if (mono_ns - age_checked_ns_ < kAgeEvery) return;
  age_checked_ns_ = mono_ns;
  const int64_t oldest = trusted.now_ns() - limits_.max_age_ns;
  for (auto& [number, segment] : store_.segments()) {
    const bool in_use = store_.is_retired(number) || store_.is_written(number);
    if (in_use || segment.newest_appended_ns == 0 || segment.newest_appended_ns >= oldest) continue;
    drop_segment(segment, metrics::reason::kTooOld);
  }
}

}  // namespace monitor::agent
