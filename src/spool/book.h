// Which batches wait, by incarnation and sequence: what the checkpoint is made of.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "spool/checkpoint.h"
#include "spool/sequence_set.h"

namespace monitor::agent {

class Book {
 public:
  struct Entry {
    std::string incarnation;
    SequenceSet waiting;
    uint64_t last_sequence = 0;
    int64_t last_time_ns = 0;
    bool told = false;
    bool clean = false;
  };

  // The incarnation's entry, made when there is none. A reference lives until entries are removed.
  Entry& entry(const std::string& incarnation);
  const Entry* find(const std::string& incarnation) const;
  const std::deque<Entry>& entries() const { return entries_; }
  std::deque<Entry>& entries() { return entries_; }

  void wait(const std::string& incarnation, uint64_t sequence, int64_t last_time_ns);
  // False when it did not wait.
  bool settle(const std::string& incarnation, uint64_t sequence);
  bool waits(const std::string& incarnation, uint64_t sequence) const;
  uint64_t waiting() const;

  // All entries as the checkpoint has them; `last` is put at the end.
  std::vector<IncarnationState> states(const std::string& last) const;

 private:
  std::deque<Entry> entries_;  // few; in the order of their coming
};

}  // namespace monitor::agent
