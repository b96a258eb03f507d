// What a reader builds on the batches of a partition (a ledger, windows), kept in the same snapshot as the position and
// the set of batches seen: the three never disagree, so that a kill, a rebalance or a new member makes no count wrong.
//
// Everything on the consumer's thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metriclog/log.h"
#include "metrics/batch.h"

namespace monitor::analysis {

class BuiltState {
 public:
  virtual ~BuiltState() = default;
  // What it is, as snapshots name it: a group whose snapshots hold something else is refused, not misread.
  virtual std::string_view kind() const = 0;

  // A partition is this reader's from now on: begin with nothing, or with what encode() wrote. kDataLoss: not
  // understood.
  virtual void fresh(int32_t partition, const metriclog::Extent& extent) = 0;
  virtual Status decode(int32_t partition, std::string_view bytes) = 0;
  // It is not this reader's any more.
  virtual void forget(int32_t partition) = 0;

  // Each batch once, whole; a copy of one that was seen before; one whose content is not that of the batch that was
  // seen before under its sequence, in the record at `first_offset`; [from, to) that retention took before it was read.
  virtual void apply(const metriclog::Record& record, const metrics::Batch& batch) = 0;
  virtual void apply_copy(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) {}
  virtual void apply_conflict(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/,
                              int64_t /*first_offset*/) {}
  virtual void apply_lost(int32_t /*partition*/, int64_t /*from*/, int64_t /*to*/) {}

  // Appends. May forget what is too old to matter before it does.
  virtual void encode(int32_t partition, std::string& out) = 0;
};

}  // namespace monitor::analysis
