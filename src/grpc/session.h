// Session: what the client's and the server's end of a connection have in common: bytes in and out, and the events that
// handlers receive only after nghttp2 has returned.
//
// Held by shared_ptr, so that it survives a handler that destroys its owner. The owner must call detach() before it
// releases the session; no callback follows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/byte_machine.h"
#include "grpc/http2.h"
#include "grpc/message_framing.h"

namespace monitor::grpc {

// The part of a call that both ends have.
struct SessionStream : Http2Stream {
  SessionStream(size_t max_message_bytes, uint32_t window_bytes, bool manual_flow_control)
      : deframer(max_message_bytes), window(window_bytes, manual_flow_control) {}

  Deframer deframer;
  ReceiveWindow window;
  Timers::TimerId deadline_timer = 0;
  bool bad_metadata = false;
  bool above_low_water = false;  // on_writable is due when `send` has shrunk
  bool writable_queued = false;
  std::string content_type;
  std::string encoding;

 protected:
  ~SessionStream() = default;
};

class Session : public Http2, public std::enable_shared_from_this<Session> {
 public:
  // --- The methods of ByteMachine.
  void receive(std::string_view bytes);
  std::string_view pending_output();
  void consume_output(size_t bytes);
  virtual void fail(const Error& error) = 0;
  bool finished() const { return finished_; }

 protected:
  // Both must outlive the session, or its detach().
  Session(Timers& timers, const Http2Options& options, ByteMachineHandler& handler);
  ~Session() override;

  // Ends all callbacks.
  void detach_handler();
  bool attached() const { return handler_ != nullptr; }

  // Calls deliver_events() later, or at the end of receive().
  void schedule_events();
  // Bytes left `stream.send`: queues on_writable if it has shrunk to the limit.
  void check_writable(SessionStream& stream, size_t low_water_bytes);
  // The stream is about to be destroyed.
  void forget_writable(SessionStream& stream);

  // --- Deferred events.
  virtual void deliver_writable(SessionStream& stream) = 0;
  virtual bool events_wait() const = 0;
  virtual void deliver_events() = 0;
  // The connection is at its end: ends the calls that still run. on_finished() follows.
  virtual void end_calls() = 0;

  Timers& timers_;
  bool finished_ = false;
  Error finish_reason_{Code::kUnavailable, "connection closed"};

 private:
  void on_want_output() override;
  void run_events();

  ByteMachineHandler* handler_;
  std::vector<SessionStream*> writable_;
  Timers::TimerId events_timer_ = 0;
  bool in_receive_ = false;
  bool finish_reported_ = false;
};

}  // namespace monitor::grpc
