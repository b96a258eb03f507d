// SendQueue: batches that are about to be sent, and those in flight. New batches stand in a short queue that goes
// first. The batches that do not fit into it are found again by reading the spool. Not thread-safe.
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

// Where a record is. Segment 0: in memory only.
struct RecordPosition {
  uint64_t segment = 0;
  uint64_t offset = 0;
  auto operator<=>(const RecordPosition&) const = default;
};

struct RecordRef {
  BatchInfo info;
  RecordPosition at;
  uint64_t bytes = 0;     // of its payload
  bool replayed = false;  // not fresh: counts for the pacer
  int64_t sent_ns = 0;    // monotonic
};

class SendQueue {
 public:
  static constexpr size_t kMaxFresh = 16;

  // When the queue is full, returns its oldest batch, which the queue then forgets.
  std::optional<RecordRef> push_fresh(RecordRef ref);
  const RecordRef* fresh() const { return fresh_.empty() ? nullptr : &fresh_.front(); }
  // Moves it into flight; returns its id.
  uint64_t send_fresh(int64_t now_ns);
  // The oldest batch that was given back.
  const RecordRef* returned() const { return returned_.empty() ? nullptr : &returned_.begin()->second; }
  uint64_t send_returned(int64_t now_ns);
  uint64_t send_replayed(RecordRef ref, int64_t now_ns);
  bool may_replay() const { return pacer_.allows(); }

  // Removes the batch with that id from flight; nothing when it is not in flight.
  std::optional<RecordRef> acknowledged(uint64_t id, int64_t now_ns);
  std::optional<RecordRef> rejected(uint64_t id);
  void returned(uint64_t id);
  // Removes dropped batches, wherever they are.
  void forget(const std::string& incarnation, uint64_t first, uint64_t last);
  // Its record has another position now.
  void move(const std::string& incarnation, uint64_t sequence, RecordPosition at);

  // Whether it is here: fresh, given back, or in flight.
  bool has(const std::string& incarnation, uint64_t sequence) const;
  bool is_fresh(const std::string& incarnation, uint64_t sequence) const;
  IntervalSet standing(const std::string& incarnation) const;
  size_t size() const { return fresh_.size() + returned_.size() + in_flight_.size(); }
  size_t in_flight() const { return in_flight_.size(); }
  // The oldest `appended_ns` in the queue; INT64_MAX when it is empty.
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
