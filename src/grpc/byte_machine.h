// ByteMachine: the interface between an I/O-free protocol machine and whatever moves its bytes: a socket transport, or
// a simulation.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/result.h"

namespace monitor::grpc {

class ByteMachine {
 public:
  virtual ~ByteMachine() = default;
  // Consumes bytes from the peer, in pieces of any size. Calls handlers.
  virtual void receive(std::string_view bytes) = 0;
  // The next bytes to send, some tens of KiB at a time; empty if there are none. Valid until the next call of any
  // method. Calls no handlers.
  virtual std::string_view pending_output() = 0;
  // Confirms that these bytes of the output were sent. Calls handlers.
  virtual void consume_output(size_t bytes) = 0;
  // The connection is lost: all calls on it end with this error. Calls handlers.
  virtual void connection_lost(const Error& error) = 0;
  // True once the machine reads no more input. Close the connection when pending_output() is empty as well.
  virtual bool finished() const = 0;
};

// Implemented by whatever moves the bytes of a machine.
class ByteMachineHandler {
 public:
  virtual ~ByteMachineHandler() = default;
  // Output is available. Called at most once until pending_output() is called. Send it soon, but not from within this
  // callback.
  virtual void on_output_wanted() = 0;
  // finished() is now true, and all calls have ended. The code is kUnavailable for a normal end.
  virtual void on_finished(const Error& /*reason*/) {}
};

}  // namespace monitor::grpc
