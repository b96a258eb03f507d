// ReceiverState: the state of one integration of a receiver. A value type.
#pragma once

#include <cstdint>
#include <string>

namespace monitor::notify {

struct ReceiverState {
  std::string receiver;
  std::string integration;
  int64_t waiting = 0;  // undelivered notifications
  std::string trouble;  // why the last attempt failed; empty: it did not

  bool operator==(const ReceiverState&) const = default;
};

}  // namespace monitor::notify
