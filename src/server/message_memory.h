// MessageMemory: bounds the memory of incomplete messages and unread replies of all connections. The limit is an eighth
// of --memory-limit, and usage counts in that. When it is full, a connection may still hold its fair share
// (base/fair_share.h).
// Thread-safe, without locks.
#pragma once

#include <atomic>
#include <cstddef>

#include "base/fair_share.h"
#include "grpc/byte_budget.h"
#include "inputs/stream/memory_budget.h"

namespace monitor::server {

class MessageMemory final : public grpc::ByteBudget {
 public:
  // `memory` must outlive it.
  explicit MessageMemory(MemoryBudget& memory) : memory_(memory), limit_(memory.limit() / 8) {}

  bool take(size_t bytes, size_t held) override {
    const size_t holders = (held == 0 ? 1 : 0) + holders_.load(std::memory_order_relaxed);
    const size_t used = used_.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    if (used > limit_ && held + bytes > fair_share(limit_, used, holders)) {
      used_.fetch_sub(bytes, std::memory_order_relaxed);
      return false;
    }
    if (held == 0) holders_.fetch_add(1, std::memory_order_relaxed);
    memory_.add(bytes);
    return true;
  }
  void give_back(size_t bytes, size_t held) override {
    if (held == 0) holders_.fetch_sub(1, std::memory_order_relaxed);
    used_.fetch_sub(bytes, std::memory_order_relaxed);
    memory_.give_back(bytes);
  }
  size_t used() const { return used_.load(std::memory_order_relaxed); }
  size_t limit() const { return limit_; }

 private:
  MemoryBudget& memory_;
  const size_t limit_;
  std::atomic<size_t> used_{0};
  std::atomic<size_t> holders_{0};
};

}  // namespace monitor::server
