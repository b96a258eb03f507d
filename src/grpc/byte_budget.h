// ByteBudget: memory that all connections of a server share for data that peers make them hold: incomplete messages,
// and replies that the peer does not read. Implementations are thread-safe, since loops share one.
#pragma once

#include <cstddef>

namespace monitor::grpc {

class ByteBudget {
 public:
  virtual ~ByteBudget() = default;
  // Reserves more for a connection that already holds `held` bytes. Returns false, reserving nothing, if there is no
  // room.
  virtual bool take(size_t bytes, size_t held) = 0;
  // `held` is left.
  virtual void give_back(size_t bytes, size_t held) = 0;
};

}  // namespace monitor::grpc
