// One call, as its client sees it. Channel and ClientSession start calls; both are a CallStarter, so that code written
// against it runs over sockets and over a simulated network.
//
// Thread contract: everything happens on the loop that owns the connection.
// Lifetimes: the handler must outlive the ClientCall, which may be destroyed at any time, in a callback too: that
// cancels what still runs, and nothing more is called. A ClientCall may outlive its channel; then it does nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "grpc/types.h"

namespace monitor::grpc {

struct CallOptions {
  Metadata metadata;
  // From start() on; 0 means no deadline. When it passes, the call ends with DEADLINE_EXCEEDED and is reset.
  int64_t timeout_ns = 0;
  // Off: what was received is given back to the peer's window at once. On: only as consumed() says.
  bool manual_flow_control = false;
  // A longer message ends the call with RESOURCE_EXHAUSTED.
  size_t max_message_bytes = kDefaultMaxMessageBytes;
  // on_writable() is called when unsent_bytes() falls to this or below, after it was above.
  size_t low_water_bytes = size_t{16} * 1024;
};

// What a call tells. Called from the loop (from the session's receive(), consume_output() and timers), never from
// inside start() or a method of ClientCall.
class ClientCallHandler {
 public:
  virtual ~ClientCallHandler() = default;
  // The server's first metadata. Not called if the server answers with a status alone.
  virtual void on_headers(const Metadata& /*headers*/) {}
  // Valid until the callback returns.
  virtual void on_message(std::string_view message) = 0;
  virtual void on_writable() {}
  // The last callback; exactly one a call, unless the ClientCall or its channel is destroyed before.
  virtual void on_done(const CallStatus& status, const Metadata& trailers) = 0;
};

class ClientCall {
 public:
  virtual ~ClientCall() = default;
  // Queues one message; never blocks, has no limit of its own: look at unsent_bytes(). Ignored after half_close() and
  // after the end of the call.
  virtual void write(std::string_view message) = 0;
  // No more messages from this side.
  virtual void half_close() = 0;
  // Ends the call with CANCELLED (by on_done, later); what is unsent is dropped.
  virtual void cancel() = 0;
  // Bytes that HTTP/2's windows or the socket have not taken yet, framing included.
  virtual size_t unsent_bytes() const = 0;
  // With manual flow control: the peer may send this much more. Counts bytes of messages, as on_message() gave them.
  virtual void consumed(size_t bytes) = 0;
};

class CallStarter {
 public:
  virtual ~CallStarter() = default;
  // `path` is "/package.Service/Method". Failures are reported by on_done, later.
  virtual std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options,
                                            ClientCallHandler& handler) = 0;
};

// Unary calls over a CallStarter, which must outlive it. Destroying it cancels what runs, without a callback.
class UnaryCalls {
 public:
  // The response, or the call's status as an error (also if the server sent no message, or several).
  using Callback = std::function<void(Result<std::string>)>;

  explicit UnaryCalls(CallStarter& starter);
  ~UnaryCalls();
  UnaryCalls(const UnaryCalls&) = delete;
  UnaryCalls& operator=(const UnaryCalls&) = delete;

  // The callback may start further calls, and may destroy this object.
  void start(std::string_view path, std::string_view request, const CallOptions& options, Callback callback);
  size_t running() const;

 private:
  class Call;
  struct State;
  CallStarter& starter_;
  std::unique_ptr<State> state_;
};

}  // namespace monitor::grpc
