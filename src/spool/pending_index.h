// PendingIndex: the waiting batches, by incarnation and sequence. Checkpoints are created from it. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "base/interval_set.h"
#include "spool/checkpoint.h"

namespace monitor::agent {

class PendingIndex {
 public:
  struct Entry {
    std::string incarnation;
    IntervalSet waiting;
    uint64_t last_sequence = 0;
    int64_t last_time_ns = 0;
    bool end_reported = false;  // its end was reported
    bool clean = false;         // it ended in order
  };

  // Returns the incarnation's entry, and creates it if necessary. The reference is valid until entries are removed.
  Entry& entry(const std::string& incarnation);
  const Entry* find(const std::string& incarnation) const;
  const std::deque<Entry>& entries() const { return entries_; }
  std::deque<Entry>& entries() { return entries_; }

  void wait(const std::string& incarnation, uint64_t sequence, int64_t last_time_ns);
  // The batch was acknowledged or dropped. Returns false if it was not waiting.
  bool settle(const std::string& incarnation, uint64_t sequence);
  bool waits(const std::string& incarnation, uint64_t sequence) const;
  uint64_t waiting() const;
  // The incarnation's lowest waiting sequence; `next_sequence` if there is none.
  uint64_t first_waiting(const std::string& incarnation, uint64_t next_sequence) const;
  // Incarnations other than `running` with waiting batches; at most `limit`, the oldest first.
  std::vector<metrics::OlderIncarnation> older(const std::string& running, size_t limit) const;
  // Removes incarnations other than `running` whose end was reported, that have no waiting batch, and are not
  // `on_disk`.
  void forget(const std::string& running, const std::set<std::string>& on_disk);

  // All entries in the form of the checkpoint, with the incarnation `last` at the end.
  std::vector<IncarnationState> states(const std::string& last) const;

  // The acknowledged and dropped sequences of each incarnation.
  std::vector<SettledSequences> settled() const;

 private:
  std::deque<Entry> entries_;  // few entries, the oldest first
};

}  // namespace monitor::agent
