// Spool: the agent's queue between batching and delivery. A batch stays in it from the moment it has a sequence until
// the output has delivered it (BatchSource::acknowledged).
//
// The spool reports every batch that it drops (no room, too old, damaged), so that the ledger can account for it. Fresh
// batches are sent first, so that a backlog does not delay new data. Agent's loop only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/interval_set.h"
#include "base/result.h"
#include "metrics/batch.h"
#include "stream/batch_source.h"

namespace monitor::agent {

// A batch without its bytes. Times are Unix nanoseconds; 0: unknown.
struct BatchInfo {
  std::string incarnation;
  uint64_t sequence = 0;
  uint64_t ticks = 0;
  uint64_t points = 0;
  int64_t first_time_ns = 0;
  int64_t last_time_ns = 0;
  int64_t appended_ns = 0;
};

// The drop of one batch.
metrics::Drop drop_of(const BatchInfo& batch, std::string_view stage, std::string_view reason);
// The drop of batches with consecutive sequences; ticks, points and times are unknown.
metrics::Drop drop_of_range(std::string incarnation, uint64_t first, uint64_t last, std::string_view stage,
                            std::string_view reason);

// The drop of a batch for BatchSource::rejected(). Logs the whole reason; the record keeps only its first word.
metrics::Drop drop_of_rejected(const BatchInfo& batch, stream::RejectedBy by, std::string_view reason);

// The settled sequences of an incarnation: acknowledged or dropped.
struct SettledSequences {
  std::string incarnation;
  IntervalSet sequences;
};

// Reports that no acknowledged batch has carried yet.
struct PendingReports {
  std::vector<metrics::Drop> drops;
  std::vector<metrics::IncarnationEnd> ended;
  // The log that the server writes, and the batches settled while it wrote others (log_history.h).
  std::string log = {};
  std::vector<metrics::Elsewhere> elsewhere = {};
};

// Which batches are dropped when the spool is full.
enum class SpoolFull { kDropOldest, kDropNewest };

// Receives the outcomes of batches.
class SpoolListener {
 public:
  virtual ~SpoolListener() = default;
  virtual void on_stored(const BatchInfo& batch) = 0;
  // Batches of one incarnation with consecutive sequences are lost.
  virtual void on_lost(const metrics::Drop& drop) = 0;
  // Reports that an earlier process left, and the sequences of earlier incarnations settled by then.
  virtual void on_recovered(const PendingReports& reports, const std::vector<SettledSequences>& earlier) = 0;
  // The server named its log (stream::BatchSource::log_named()); acknowledgements follow.
  virtual void on_log_named(std::string_view log) = 0;
  // The reports that the spool stores for the next process, if it can.
  virtual PendingReports pending_reports() const = 0;
};

struct SpoolStats {
  bool on_disk = false;         // new batches are written to disk
  uint64_t segments = 0;        // number of files
  uint64_t disk_bytes = 0;      // of these files
  uint64_t memory_batches = 0;  // batches in memory only
  uint64_t damaged_batches = 0;
  uint64_t damaged_bytes = 0;
  uint64_t foreign_files = 0;  // foreign, or of a newer version; not touched
  uint64_t disk_errors = 0;
  uint64_t writes = 0;
  uint64_t syncs = 0;
};

class Spool : public stream::BatchSource {
 public:
  // Error: the batch was dropped, which has been reported.
  virtual Status append(BatchInfo info, std::string bytes) = 0;

  // Takes effect with the next append().
  virtual void set_limits(uint64_t max_bytes, SpoolFull full) = 0;

  // The incarnation's lowest waiting sequence; `next_sequence` if there is none.
  virtual uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const = 0;
  // Other incarnations with waiting batches; only the oldest, if there are very many.
  virtual std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const = 0;

  // The settled sequences of each incarnation that the spool knows.
  virtual std::vector<SettledSequences> settled() const = 0;

  virtual size_t batches() const = 0;
  virtual size_t bytes() const = 0;
  // Time of the oldest batch's last tick, as far as it is known without reading; 0 if no batch waits.
  virtual int64_t oldest_time_ns() const = 0;
  // True if a waiting batch was not given out yet: next() returns it now or soon.
  virtual bool has_unsent() const = 0;
  virtual SpoolStats stats() const = 0;
};

}  // namespace monitor::agent
