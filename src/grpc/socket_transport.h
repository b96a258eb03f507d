// SocketTransport: moves bytes between a connected socket and a ByteMachine, with optional TLS. One read for each
// wake-up, and one write for all output of a turn of the loop.
//
// Held by shared_ptr, so that it survives callbacks that end it. The owner must call close() before destroying the
// machine.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/byte_machine.h"
#include "grpc/secure_transform.h"

namespace monitor::grpc {

class SocketTransport final : public std::enable_shared_from_this<SocketTransport> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    // TLS is established and verified; without TLS, right after start().
    virtual void on_secured(const PeerCertificate* /*certificate*/) {}
    // The TLS handshake failed: one side has refused the other. The machine receives the same error as
    // connection_lost() afterwards. Not called if the peer only closes the connection.
    virtual void on_handshake_failed(const Error& /*error*/) {}
    // The socket is closed, after the machine has finished or received connection_lost(). The last callback.
    virtual void on_transport_closed() = 0;
  };

  // Takes ownership of `fd`, which must be non-blocking. `secure` may be nullptr. Output that the socket does not
  // accept for `stall_timeout_ns` ends the connection; 0: no limit.
  SocketTransport(EventLoop& loop, int fd, std::unique_ptr<SecureTransform> secure, ByteMachine& machine, Owner& owner,
                  int64_t stall_timeout_ns);
  ~SocketTransport();
  SocketTransport(const SocketTransport&) = delete;
  SocketTransport& operator=(const SocketTransport&) = delete;

  void start();
  // The machine has output; it is written at the end of this turn.
  void want_flush();
  // The machine has finished: the socket closes when its output is sent, or after a second.
  void end_soon();
  // Closes at once, without notifying owner or machine.
  void close();

 private:
  enum class State { kOpen, kLingering, kClosed };

  void on_events(uint32_t events);
  void read_ready();
  bool take_input(std::string_view bytes);
  void secure_failed(const Error& error);
  void flush();
  bool flush_plain();
  bool flush_secure();
  // Returns the bytes that the socket accepted; 0: none for now; negative: the connection is broken and was closed.
  ssize_t write_some(std::string_view bytes);
  void set_blocked(bool blocked);
  void stall_due();
  void lost(const Error& error);
  void finish_if_done();
  void linger();
  void arm_end();

  EventLoop& loop_;
  int fd_;
  std::unique_ptr<SecureTransform> secure_;
  ByteMachine& machine_;
  Owner& owner_;
  int64_t stall_timeout_ns_;
  State state_ = State::kOpen;
  bool secured_ = false;
  bool blocked_ = false;  // waits until the socket is writable
  bool in_io_ = false;    // within on_events(), which flushes at its end
  bool flush_due_ = false;
  std::string cipher_;  // unsent TLS records
  int64_t progress_ns_ = 0;
  Timers::TimerId stall_timer_ = 0;
};

}  // namespace monitor::grpc
