// ByteBudget: memory that all connections of a server share for what their peers make them hold: incomplete messages,
// and replies that are not read. Implementations are thread-safe: loops share one.
#pragma once

#include <cstddef>

namespace monitor::grpc {

class ByteBudget {
 public:
  virtual ~ByteBudget() = default;
  // For a connection that holds `held` already. False: there is no room for it, and nothing was taken.
  virtual bool take(size_t bytes, size_t held) = 0;
  // `held` is left.
  virtual void give_back(size_t bytes, size_t held) = 0;
};

}  // namespace monitor::grpc
