// Spool: where batches wait from the moment they have a sequence until the server has acknowledged them.
//
// It is the source of the stream's sender. What it must give up (no room, too old) it reports as lost, so that the
// ledger knows. Everything on the agent's loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "protocol/sender.h"

namespace monitor::agent {

// What is known of a batch beside its bytes.
struct BatchInfo {
  std::string incarnation;
  uint64_t sequence = 0;
  uint64_t ticks = 0;
  uint64_t points = 0;
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
};

// Told what becomes of batches.
class SpoolListener {
 public:
  virtual ~SpoolListener() = default;
  virtual void on_stored(const BatchInfo& batch) = 0;
  // Lost for good; `reason` is one of metrics::reason, `stage` one of metrics::stage.
  virtual void on_lost(const BatchInfo& batch, std::string_view stage, std::string_view reason) = 0;
};

class Spool : public protocol::BatchSource {
 public:
  // Takes a batch. An error: it was not taken, and has been reported as lost.
  virtual Status append(BatchInfo info, std::string bytes) = 0;

  // The lowest sequence of the incarnation that still waits; `next_sequence` when none does.
  virtual uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const = 0;
  // Other incarnations of which batches wait.
  virtual std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const = 0;

  virtual size_t batches() const = 0;
  virtual size_t bytes() const = 0;
  // The oldest batch's last tick; 0 when there is none.
  virtual int64_t oldest_time_ns() const = 0;
  // Whether next() has something to give.
  virtual bool has_unsent() const = 0;
};

}  // namespace monitor::agent
