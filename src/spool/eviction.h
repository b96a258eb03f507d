// Eviction: keeps the spool within its limits. It drops whole segments, the oldest first, if the disk has no room or
// they are too old, and single batches if the memory has no room.
//
// Loop's thread only. The constructor's arguments must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/clock.h"
#include "base/trusted_clock.h"
#include "spool/batch_tracker.h"
#include "spool/segment_store.h"
#include "spool/spool_reader.h"

namespace monitor::agent {

struct EvictionLimits {
  uint64_t max_bytes = 0;     // of segments
  uint64_t memory_bytes = 0;  // of batches that are in memory only
  int64_t max_age_ns = 0;
  SpoolFull full = SpoolFull::kDropOldest;
};

class Eviction {
 public:
  // `collect` retires resolved segments; `retired` is called after a segment was dropped.
  Eviction(SegmentStore& store, BatchTracker& tracker, SpoolReader& reader, EvictionLimits limits,
           std::function<void()> collect, std::function<void()> retired);

  const EvictionLimits& limits() const { return limits_; }
  void set_limits(uint64_t max_bytes, SpoolFull full);
  // Makes room for a record of `record_bytes`, whose payload stays in memory until it is written. Returns false if
  // there is no room.
  bool make_room(uint64_t record_bytes, uint64_t payload_bytes);
  // Drops segments whose batches are all too old, at most once a minute. The reader drops single batches.
  void drop_old(int64_t mono_ns, TrustedClock& trusted);

 private:
  bool make_room_in_memory(uint64_t bytes);
  bool drop_oldest();
  void drop_segment(SegmentInfo& segment, std::string_view reason);
  std::map<uint64_t, BatchInfo> headers_of(const SegmentInfo& segment, const IntervalSet& sequences);

  SegmentStore& store_;
  BatchTracker& tracker_;
  SpoolReader& reader_;
  EvictionLimits limits_;
  std::function<void()> collect_;
  std::function<void()> retired_;
  int64_t age_checked_ns_ = 0;
};

}  // namespace monitor::agent
