// MemoryBudget: bounds the memory of batches in the server, from their arrival until the log confirms or rejects them.
// Shared by all loops; thread-safe, without locks.
//
// While streams wait for memory, each may hold its share. An eighth of the budget belongs to no share: it serves
// streams that hold less than their share, however many others wait.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace monitor::server {

class MemoryBudget {
 public:
  static constexpr size_t kDefault = size_t{512} << 20;
  static constexpr size_t kLeast = size_t{4} << 20;
  // What a batch costs besides its bytes: entries in queues, and the record's headers and key in the log's client.
  static constexpr size_t kPerBatch = 1024;

  explicit MemoryBudget(size_t limit) : limit_(limit) {}

  // Returns false if there is no room. A batch larger than the whole budget is accepted if the budget is unused.
  bool take(size_t bytes) {
    size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used != 0 && used + bytes > limit_) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  // Counts memory that is bounded elsewhere, even if there is no room.
  void add(size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }
  // Like take(), for a stream whose turn it is. Does not use the eighth that belongs to no share.
  bool take_turn(size_t bytes) {
    const size_t now = used();
    return (now == 0 || now + bytes <= shared()) && take(bytes);
  }

  void stream_entered() { streams_.fetch_add(1, std::memory_order_relaxed); }
  void stream_left() { streams_.fetch_sub(1, std::memory_order_relaxed); }
  size_t share() const { return shared() / std::max<size_t>(1, streams_.load(std::memory_order_relaxed)); }

 private:
  size_t shared() const { return limit_ - limit_ / 8; }

  const size_t limit_;
  std::atomic<size_t> streams_{0};
  std::atomic<size_t> used_{0};
};

}  // namespace monitor::server
