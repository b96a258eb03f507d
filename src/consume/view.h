// View: what is built or shown from the batches of a log: a ledger, a fleet, a history, printed lines. A Consumer hands
// each batch to any number of views. What a view keeps of a partition is stored in the same snapshot as the read
// position and the set of batches seen. The three never disagree, so a kill, a rebalance or a new member makes no count
// wrong.
//
// Views are independent of one another: each has its own kind, version and state in snapshots, and says what it needs
// of a batch. A view whose snapshot is unusable either stops the consumer or begins anew, see Unusable.
//
// Everything on the consumer's thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "metriclog/log.h"
#include "metrics/batch.h"

namespace monitor::analysis {

class View {
 public:
  virtual ~View() = default;

  // Names its state in snapshots; unique in a consumer, and for ever. Empty: snapshots have nothing of it.
  virtual std::string_view kind() const { return {}; }
  // Of what encode() writes. decode() is never given a newer one than this.
  virtual uint32_t version() const { return 1; }
  // Whether it looks at values and series. If no view does, a batch comes with its envelope, and frames with as many
  // points as they have, whose content means nothing: reading is much cheaper.
  virtual bool needs_values() const { return true; }

  // What a snapshot without its state, or with one that it does not understand, means.
  enum class Unusable {
    kStops,       // the consumer's step() ends with an error: the figures would be wrong
    kBeginsAnew,  // fresh() is called with the extent from the position on; the other views go on as they were
  };
  virtual Unusable unusable_snapshot() const { return Unusable::kStops; }

  // A partition is this reader's from now on: begin with nothing, or with what encode() of that version wrote.
  // kDataLoss: not understood. on_assigned() follows.
  virtual void fresh(int32_t /*partition*/, const metriclog::Extent& /*extent*/) {}
  virtual Status decode(int32_t /*partition*/, uint32_t /*version*/, std::string_view /*bytes*/) { return {}; }
  virtual void on_assigned(int32_t /*partition*/) {}
  // Appends. May forget what is too old to matter before it does.
  virtual void encode(int32_t /*partition*/, std::string& /*out*/) {}
  // It is not this reader's any more.
  virtual void on_revoked(int32_t /*partition*/) {}

  // Each batch once, whole. Series carry the labels of the batch's resource; a heartbeat has no frames.
  virtual void apply(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) {}
  // For a view with back-pressure, instead of apply(): frames from `first_frame` on are new. Returns how many of them
  // it took. Fewer than there are ends the step; the rest comes again, in this run or after a restart. Views behind
  // this one wait for it.
  virtual size_t take(const metriclog::Record& record, const metrics::Batch& batch, size_t first_frame) {
    apply(record, batch);
    return batch.frames.size() - first_frame;
  }
  // A copy of a batch that was seen before.
  virtual void apply_copy(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) {}
  // A batch whose content is not that of the one seen before under its sequence, in the record at `first_offset`.
  virtual void apply_conflict(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/,
                              int64_t /*first_offset*/) {}
  // The record is not understood.
  virtual void on_skipped(const metriclog::Record& /*record*/, const Error& /*why*/) {}
  // Retention took [from, to) before it was read. The range may be empty: unknown records of a replaced log.
  virtual void on_lost(int32_t /*partition*/, int64_t /*from*/, int64_t /*to*/) {}

  virtual void on_trouble(const std::string& /*text*/) {}
  // Once after one or more on_trouble(), before what comes next: the trouble is over, though nothing may have come
  // since.
  virtual void on_recovered() {}
};

}  // namespace monitor::analysis
