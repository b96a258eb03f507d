// The face that an I/O-free protocol machine shows to whoever moves its bytes: a socket driver, or a simulation.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace monitor::grpc {

class ByteMachine {
 public:
  virtual ~ByteMachine() = default;
  // Bytes from the peer, cut anywhere. Calls handlers.
  virtual void receive(std::string_view bytes) = 0;
  // What is to be sent next: some tens of KiB at a time, empty when there is nothing. Valid until the next call of any
  // method. Calls no handlers.
  virtual std::string_view pending_output() = 0;
  // So many bytes of it were sent. Calls handlers.
  virtual void consume_output(size_t bytes) = 0;
  // The connection is lost: what runs on it ends with this error. Calls handlers.
  virtual void connection_lost(const Error& error) = 0;
  // Nothing more will be read; the connection is to be closed when pending_output() is empty.
  virtual bool finished() const = 0;
};

}  // namespace monitor::grpc
