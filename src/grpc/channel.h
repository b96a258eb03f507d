// Channel: the client of one target, over one connection at a time. It retries nothing: after on_closed() the next
// connect() or start() connects anew, and when to do that is the caller's decision.
//
// Thread contract: everything on the loop's thread; the loop and the resolver must outlive the channel. Listeners and
// call handlers may destroy the channel. Destroying it closes the connection and ends its calls without a callback.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/event_loop.h"
#include "base/result.h"
#include "grpc/client_call.h"
#include "grpc/client_session.h"
#include "grpc/resolver.h"
#include "grpc/secure_transform.h"

namespace monitor::grpc {

struct ChannelOptions {
  std::string host = "localhost";
  uint16_t port = 0;
  // nullptr: plaintext. From TlsClientContext::load().
  std::shared_ptr<const SecurityContext> security;
  // For one address; the next one is tried after it, and all fail after the last.
  int64_t connect_timeout_ns = 10 * kNanosPerSecond;
  // From the connection of TCP to the server's SETTINGS, TLS included.
  int64_t handshake_timeout_ns = 20 * kNanosPerSecond;
  // Sent, and not acknowledged by the peer's TCP for so long: the connection is lost. Without it a host that vanished
  // goes unseen for a quarter of an hour.
  int64_t tcp_user_timeout_ns = 30 * kNanosPerSecond;
  // An empty authority is replaced by host:port; `secure` is set by `security`.
  ClientSessionOptions session{.authority = ""};
};

class ChannelListener {
 public:
  virtual ~ChannelListener() = default;
  // Connected, and the server speaks HTTP/2.
  virtual void on_ready() {}
  // The connection is gone, or none could be made; its calls have ended. Once for each attempt.
  virtual void on_closed(const Error& /*reason*/) {}
  // The server takes no new calls on this connection. Calls that run go on; a new call or connect() makes a new
  // connection beside it. on_closed() is not called for a connection that went away so.
  virtual void on_goaway(const GoAway& /*goaway*/) {}
};

enum class ChannelState { kIdle, kConnecting, kReady };

class Channel final : public CallStarter {
 public:
  // `listener` may be nullptr, and must outlive the channel otherwise.
  Channel(EventLoop& loop, Resolver& resolver, ChannelOptions options, ChannelListener* listener = nullptr);
  ~Channel() override;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Does nothing if there is a connection, or one on its way.
  void connect();
  // Connects if need be: the call waits for the connection, and ends with UNAVAILABLE if none can be made.
  std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options,
                                    ClientCallHandler& handler) override;
  // One request, one response; the callback comes later, once, unless the channel is destroyed before.
  void unary(std::string_view path, std::string_view request, const CallOptions& options,
             UnaryCalls::Callback callback);
  // Closes every connection now; calls end with CANCELLED by on_done, later. on_closed() is not called.
  void close();

  ChannelState state() const;
  // Of the connection, "" without one.
  std::string peer() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
  std::unique_ptr<UnaryCalls> unary_;
};

}  // namespace monitor::grpc
