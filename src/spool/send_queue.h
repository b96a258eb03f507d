// SendQueue: batches that are about to be sent, and batches in flight. New batches wait in a short queue that is sent
// first. Batches that do not fit into it are found again by reading the spool. Not thread-safe.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "base/interval_set.h"
#include "spool/replay_pacer.h"
#include "spool/spool.h"

namespace monitor::agent {

// The place of a record. Segment 0: in memory only.
struct RecordPosition {
  uint64_t segment = 0;
  uint64_t offset = 0;
  auto operator<=>(const RecordPosition&) const = default;
};

struct RecordRef {
  BatchInfo info;
  RecordPosition at;
  uint64_t bytes = 0;     // of its payload
  bool replayed = false;  // not fresh, so it counts for the pacer
  int64_t sent_ns = 0;    // monotonic time
};

class SendQueue {
 public:
  static constexpr size_t kMaxFresh = 16;

  // If the queue is full, returns its oldest batch, which is then no longer in the queue.
  std::optional<RecordRef> push_fresh(RecordRef ref);
  const RecordRef* fresh() const { return fresh_.empty() ? nullptr : &fresh_.front(); }
  // Moves the oldest fresh batch into flight and returns its id.
  uint64_t send_fresh(int64_t now_ns);
  // The oldest batch that was returned.
  const RecordRef* returned() const { return returned_.empty() ? nullptr : &returned_.begin()->second; }
  uint64_t send_returned(int64_t now_ns);
  uint64_t send_replayed(RecordRef ref, int64_t now_ns);
  bool may_replay() const { return pacer_.allows(); }

  // Removes the batch with that id from flight; nothing if it is not in flight.
  std::optional<RecordRef> acknowledged(uint64_t id, int64_t now_ns);
  std::optional<RecordRef> rejected(uint64_t id);
  void returned(uint64_t id);
  // Removes dropped batches, wherever they are.
  void forget(const std::string& incarnation, uint64_t first, uint64_t last);
  // The batch's record has moved.
  void move(const std::string& incarnation, uint64_t sequence, RecordPosition at);

  // True if the batch is here: fresh, returned, or in flight.
  bool has(const std::string& incarnation, uint64_t sequence) const;
  bool is_fresh(const std::string& incarnation, uint64_t sequence) const;
  IntervalSet standing(const std::string& incarnation) const;
  size_t size() const { return fresh_.size() + returned_.size() + in_flight_.size(); }
  size_t in_flight() const { return in_flight_.size(); }
  // The oldest `appended_ns` in the queue; INT64_MAX if it is empty.
  int64_t oldest_time_ns() const;

 private:
  using ById = std::map<uint64_t, RecordRef>;
  template <typename F>
  void for_each(const std::string& incarnation, uint64_t sequence, F&& change);
  uint64_t send(uint64_t id, RecordRef ref, int64_t now_ns);
  void leave(const RecordRef& ref);
  std::optional<RecordRef> take(uint64_t id);

  std::deque<RecordRef> fresh_;
  ById returned_;
  ById in_flight_;
  std::map<std::string, IntervalSet> standing_;
  uint64_t next_id_ = 1;
  ReplayPacer pacer_;
};

}  // namespace monitor::agent
