// The numbers of the fields of an account's wire form. They must never change.
#pragma once

#include <cstdint>

namespace monitor::analysis::account_fields {

// Fields of an account.
enum : uint32_t {
  kAgent = 1,
  kIncarnation = 2,
  kHost = 3,
  kStored = 4,
  kBatchesStored = 5,
  kDuplicates = 6,
  kTicksStored = 7,
  kPointsStored = 8,
  kLateTicks = 9,
  kFirstTime = 10,
  kLastTime = 11,
  kFirstAppended = 12,
  kLastAppended = 13,
  kLastLog = 14,
  kCountersSequence = 15,
  kTicksDue = 16,
  kTicksMissed = 17,
  kPointsMade = 18,
  kTotal = 19,
  kDropped = 20,
  kForeign = 21,
  kClaimed = 22,
  kGap = 23,
  kEnd = 24,
  kEndedBy = 25,
  kEndedAt = 26,
  kAwaited = 27,
  kUnreadBelow = 28,
  kExpiredBelow = 29,
  kConflicts = 30,
  kConflict = 31,
  kFinalSequence = 32,
  kElsewhere = 33,
  kPointSum = 34,
  kLoss = 35,
};
// Fields of batches in another log.
enum : uint32_t { kLog = 1, kSequences = 2 };
// Fields of a conflict. The first offset is stored plus one; 0 means none.
enum : uint32_t { kSequence = 1, kFirstOffset = 2, kOffset = 3, kTime = 4, kWhy = 5 };
// Fields of a drop, of a loss, of a gap, and of a sum of points.
enum : uint32_t {
  kStage = 1,
  kReason = 2,
  kBatches = 3,
  kTicks = 4,
  kPoints = 5,
  kFirst = 6,
  kLast = 7,
  kSince = 8,
  kCertain = 9,
  kPlugin = 10,
  kFirstTimeOfDrop = 11,
  kLastTimeOfDrop = 12,
  kBefore = 13,
  kThrough = 14
};

}  // namespace monitor::analysis::account_fields
