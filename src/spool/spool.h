// Spool: where batches wait from the moment they have a sequence until the server has acknowledged them.
//
// It is the source of the stream's sender. What it must give up (no room, too old, damaged) it reports as lost, so that
// the ledger knows. Fresh batches go before those that have waited, so that an outage that is made up for does not make
// new data late. Everything on the agent's loop.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "metrics/batch.h"
#include "stream/batch_source.h"

namespace monitor::agent {

// What is known of a batch beside its bytes.
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
// The drop of batches with neighbouring sequences; ticks, points and times are unknown.
metrics::Drop drop_of_range(std::string incarnation, uint64_t first, uint64_t last, std::string_view stage,
                            std::string_view reason);

// What readers must be told, and have not been told by an acknowledged batch yet.
struct Tellings {
  std::vector<metrics::Drop> drops;
  std::vector<metrics::IncarnationEnd> ended;
};

// What gives way when there is no more room.
enum class SpoolFull { kDropOldest, kDropNewest };

// Told what becomes of batches.
class SpoolListener {
 public:
  virtual ~SpoolListener() = default;
  virtual void on_stored(const BatchInfo& batch) = 0;
  // Lost for good: batches of one incarnation with neighbouring sequences.
  virtual void on_lost(const metrics::Drop& drop) = 0;
  // What an earlier process left to be told.
  virtual void on_recovered(const Tellings& tellings) = 0;
  // What the spool keeps for the next process, if it can.
  virtual Tellings tellings() const = 0;
};

struct SpoolStats {
  bool on_disk = false;         // what comes now is kept on disk
  uint64_t segments = 0;        // files, and their bytes
  uint64_t disk_bytes = 0;      //
  uint64_t memory_batches = 0;  // waiting in memory alone
  uint64_t damaged_batches = 0;
  uint64_t damaged_bytes = 0;
  uint64_t foreign_files = 0;  // not ours, or of a newer version: left alone
  uint64_t disk_errors = 0;
  uint64_t writes = 0;
  uint64_t syncs = 0;
};

class Spool : public stream::BatchSource {
 public:
  // Takes a batch. An error: it was not taken, and has been reported as lost.
  virtual Status append(BatchInfo info, std::string bytes) = 0;

  // From now on; what is beyond gives way when the next batch comes.
  virtual void set_limits(uint64_t max_bytes, SpoolFull full) = 0;

  // The lowest sequence of the incarnation that still waits; `next_sequence` when none does.
  virtual uint64_t first_unacked(const std::string& incarnation, uint64_t next_sequence) const = 0;
  // Other incarnations of which batches wait; the oldest, if there are very many.
  virtual std::vector<metrics::OlderIncarnation> older(const std::string& incarnation) const = 0;

  virtual size_t batches() const = 0;
  virtual size_t bytes() const = 0;
  // The oldest batch's last tick, as far as it is known without reading; 0 when there is none.
  virtual int64_t oldest_time_ns() const = 0;
  // Whether next() has something to give, now or soon.
  virtual bool has_unsent() const = 0;
  virtual SpoolStats stats() const = 0;
};

}  // namespace monitor::agent
