// The client's view of a call. Channel and ClientSession both implement CallStarter, so code written against it runs
// over sockets and over a simulated network.
//
// Thread contract: the loop that owns the connection. Lifetimes: the handler must outlive the ClientCall. The
// ClientCall may be destroyed at any time, even in a callback; that cancels the call, and no further callback follows.
// A ClientCall may outlive its channel; its methods then do nothing.
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
  // Time limit from start(); 0: none. A call that exceeds it ends with DEADLINE_EXCEEDED and is reset.
  int64_t timeout_ns = 0;
  // Off: received bytes return to the peer's window at once. On: consumed() returns them.
  bool manual_flow_control = false;
  // A longer message ends the call with RESOURCE_EXHAUSTED.
  size_t max_message_bytes = kDefaultMaxMessageBytes;
  // on_writable() is called when unsent_bytes() falls to this limit or below.
  size_t low_water_bytes = size_t{16} * 1024;
};

// Callbacks of a call. They come from the loop (from the session's receive(), consume_output() and timers), never from
// inside start() or a method of ClientCall.
class ClientCallHandler {
 public:
  virtual ~ClientCallHandler() = default;
  // The server's initial metadata. Not called for a response that has only a status.
  virtual void on_headers(const Metadata& /*headers*/) {}
  // Valid until the callback returns.
  virtual void on_message(std::string_view message) = 0;
  virtual void on_writable() {}
  // The last callback; called exactly once, unless the ClientCall or its channel is destroyed first.
  virtual void on_done(const CallStatus& status, const Metadata& trailers) = 0;
};

class ClientCall {
 public:
  virtual ~ClientCall() = default;
  // Queues a message. Never blocks and has no limit; check unsent_bytes(). Ignored after half_close() and after the end
  // of the call.
  virtual void write(std::string_view message) = 0;
  // Ends the stream of messages from this side.
  virtual void half_close() = 0;
  // Ends the call with CANCELLED (on_done follows later) and drops unsent bytes.
  virtual void cancel() = 0;
  // Bytes that HTTP/2's windows or the socket have not accepted yet, framing included.
  virtual size_t unsent_bytes() const = 0;
  // With manual flow control: lets the peer send this much more. Counts message bytes, as passed to on_message().
  virtual void consumed(size_t bytes) = 0;
};

class CallStarter {
 public:
  virtual ~CallStarter() = default;
  // `path` is "/package.Service/Method". Failures are reported later, by on_done.
  virtual std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options,
                                            ClientCallHandler& handler) = 0;
};

// Unary calls over a CallStarter, which must outlive this object. The destructor cancels running calls without a
// callback.
class UnaryCalls {
 public:
  // Receives the response, or the call's status as an error. A response with no message, or with several, is an error.
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
