// Orphans: records of ended streams that the log still holds. Their memory is released as the log reports them. Loop's
// thread only; the queue must outlive it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <unordered_map>

#include "inputs/stream/memory_queue.h"

namespace monitor::server {

class Orphans {
 public:
  explicit Orphans(MemoryQueue& memory) : memory_(memory) {}

  bool contains(uint32_t stream) const { return by_stream_.contains(stream); }
  // The memory of records by token, from `first_token` on; 0: already reported.
  void adopt(uint32_t stream, uint64_t first_token, std::deque<size_t> costs);
  void reported(uint32_t stream, uint32_t token_low);
  // Call if the log will report nothing more.
  void reset();

 private:
  struct Records {
    uint64_t first_token = 0;
    std::deque<size_t> costs;
    size_t left = 0;
  };

  MemoryQueue& memory_;
  std::unordered_map<uint32_t, Records> by_stream_;
};

}  // namespace monitor::server
