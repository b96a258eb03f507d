// View: something built or shown from the batches of a log: a ledger, a fleet, a history, printed lines. A Consumer
// passes each batch to any number of views. A view's state for a partition is stored in the same snapshot as the read
// position and the set of batches seen. The three always match, so a kill, a rebalance or a new member never makes a
// count wrong.
//
// Views are independent of one another. Each has its own kind, version and state in snapshots, and declares which parts
// of a batch it needs. A view whose snapshot is unusable either stops the consumer or starts over (see Unusable).
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

  // Names the view's state in snapshots. Must be unique in a consumer and must never change. Empty: no state in
  // snapshots.
  virtual std::string_view kind() const { return {}; }
  // The version of encode()'s format. decode() never gets a newer version than this.
  virtual uint32_t version() const { return 1; }
  // Whether the view reads values and series. If no view needs them, decoding skips them, which makes reading much
  // cheaper: frames then have the right number of points, but the points are meaningless.
  virtual bool needs_values() const { return true; }

  // What to do if a snapshot has no state of this view, or one that it cannot decode.
  enum class Unusable {
    kStops,       // step() returns an error, because the figures would be wrong
    kBeginsAnew,  // fresh() is called with the extent from the position on; the other views continue
  };
  virtual Unusable unusable_snapshot() const { return Unusable::kStops; }

  // A partition was assigned. fresh() starts without a state, decode() with what encode() of `version` wrote.
  // kDataLoss: cannot be decoded. on_assigned() follows.
  virtual void fresh(int32_t /*partition*/, const metriclog::Extent& /*extent*/) {}
  virtual Status decode(int32_t /*partition*/, uint32_t /*version*/, std::string_view /*bytes*/) { return {}; }
  virtual void on_assigned(int32_t /*partition*/) {}
  // Appends the state to `out`. May first forget what is too old to matter.
  virtual void encode(int32_t /*partition*/, std::string& /*out*/) {}
  // The partition was assigned to another reader.
  virtual void on_revoked(int32_t /*partition*/) {}

  // Called with each batch once, as a whole. Series carry the labels of the batch's resource; a heartbeat has no
  // frames.
  virtual void apply(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) {}
  // Called instead of apply() for a view with back-pressure: frames from `first_frame` on are new. Returns how many of
  // them it took. If it took fewer than there are, the step ends; the rest comes again, in this run or after a restart.
  // Views after this one wait for it.
  virtual size_t take(const metriclog::Record& record, const metrics::Batch& batch, size_t first_frame) {
    apply(record, batch);
    return batch.frames.size() - first_frame;
  }
  // A copy of a batch that was seen before.
  virtual void apply_copy(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/) {}
  // A batch whose content differs from the one seen before with the same sequence, in the record at `first_offset`.
  virtual void apply_conflict(const metriclog::Record& /*record*/, const metrics::Batch& /*batch*/,
                              int64_t /*first_offset*/) {}
  // The record could not be decoded.
  virtual void on_skipped(const metriclog::Record& /*record*/, const Error& /*why*/) {}
  // Retention deleted [from, to) before it was read. The range may be empty: unknown records of a replaced log.
  virtual void on_lost(int32_t /*partition*/, int64_t /*from*/, int64_t /*to*/) {}

  virtual void on_trouble(const std::string& /*text*/) {}
  // Called once after one or more on_trouble(), before any other event: the trouble is over, even if nothing has
  // arrived.
  virtual void on_recovered() {}
};

}  // namespace monitor::analysis
