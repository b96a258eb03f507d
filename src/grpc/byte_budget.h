// ByteBudget: limits the memory that peers can make a server hold, over all its connections: incomplete messages, and
// replies that a peer does not read. Implementations are thread-safe, since loops share one budget.
#pragma once

#include <cstddef>

namespace monitor::grpc {

class ByteBudget {
 public:
  virtual ~ByteBudget() = default;
  // Reserves `bytes` more for a connection that already holds `held` bytes. Returns false, and reserves nothing, if
  // there is no room.
  virtual bool take(size_t bytes, size_t held) = 0;
  // Releases `bytes`; the connection still holds `held` bytes.
  virtual void give_back(size_t bytes, size_t held) = 0;
};

}  // namespace monitor::grpc
