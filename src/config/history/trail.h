// The trail of a document: its records, by number. Which records a change adds, and which ones are dropped. Pure
// functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/history/change_record.h"

namespace monitor::config {

// Changes that a trail remembers. One more record is kept: the text before the oldest change.
inline constexpr size_t kMostChanges = 50;
// The same if the trails of all documents together hold more than kMostRecordsInAll records.
inline constexpr size_t kMostChangesOfMany = 10;
inline constexpr size_t kMostRecordsInAll = 20'000;
// Large documents have shorter trails, of about this size, but at least kLeastChanges.
inline constexpr size_t kMostTrailBytes = size_t{1} << 20;
inline constexpr size_t kLeastChanges = 4;

// A document as the store has it.
struct CurrentText {
  std::optional<std::string> text;  // nothing: there is no document
  int64_t revision = 0;
};

struct TrailStep {
  std::vector<ChangeRecord> added;  // in the order of their numbers; the last one is that of the change
  uint64_t dropped_through = 0;     // records up to this number are dropped
};

// The records of a change from `current` to `next`. If `current` is not what the newest record says, somebody has
// changed it without a record: that change gets one of its own, with an unknown author and the time of `note`. `many`:
// the trails together hold more than kMostRecordsInAll records.
TrailStep next_step(const std::optional<ChangeRecord>& newest, const CurrentText& current,
                    const std::optional<std::string>& next, const ChangeNote& note, bool many);

// The record of a change that was made without one, as of `now_ns`; nothing if `newest` says what is there. If there is
// no record yet, a document has none either (it may be older than the trail) unless `begin` is set.
std::optional<ChangeRecord> unrecorded(const std::optional<ChangeRecord>& newest, const CurrentText& current,
                                       int64_t now_ns, bool begin);

}  // namespace monitor::config
