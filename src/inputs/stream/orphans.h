// Orphans: records that the log still holds of streams that have ended. Their memory is given back as the log reports
// them. On the loop's thread; the queue must outlive it.
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
  // The memory of records by their tokens, `first_token` and those that follow; 0: reported already.
  void adopt(uint32_t stream, uint64_t first_token, std::deque<size_t> costs);
  void reported(uint32_t stream, uint32_t token_low);
  // Nothing more is reported.
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
