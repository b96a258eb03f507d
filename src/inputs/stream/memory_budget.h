// MemoryBudget: what the batches of all streams may take in the server, from their arrival until the log has settled
// them. Shared by all loops; thread-safe, without locks.
//
// While streams wait for memory, each may hold its share. An eighth is in no share: batches of streams that hold less
// than theirs find room in it, however many others wait.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>

namespace monitor::server {

class MemoryBudget {
 public:
  static constexpr size_t kDefault = size_t{512} << 20;
  static constexpr size_t kLeast = size_t{4} << 20;
  // What a batch costs beside its bytes: its places in queues, and the record's headers and key in the log's client.
  static constexpr size_t kPerBatch = 1024;

  explicit MemoryBudget(size_t limit) : limit_(limit) {}

  // False: there is no room. One that is larger than the whole budget is let in when nothing else is.
  bool take(size_t bytes) {
    size_t used = used_.load(std::memory_order_relaxed);
    do {
      if (used != 0 && used + bytes > limit_) return false;
    } while (!used_.compare_exchange_weak(used, used + bytes, std::memory_order_relaxed));
    return true;
  }
  // Whether there is room or not: what is bounded elsewhere, and counts here.
  void add(size_t bytes) { used_.fetch_add(bytes, std::memory_order_relaxed); }
  void give_back(size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }
  // As take(), for a stream whose turn it is: leaves alone what is in no share.
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
