// Channel: a client of one target, over one connection at a time. It retries nothing: after on_closed() the next
// connect() or start() opens a new connection, and the caller decides when.
//
// Thread contract: the loop's thread; the loop and the resolver must outlive the channel. Listeners and call handlers
// may destroy the channel. The destructor closes the connection and ends its calls without a callback.
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
  // Time limit for one address. Addresses are tried in turn; the attempt fails after the last.
  int64_t connect_timeout_ns = 10 * kNanosPerSecond;
  // Time limit from the TCP connection to the server's SETTINGS, TLS included.
  int64_t handshake_timeout_ns = 20 * kNanosPerSecond;
  // TCP_USER_TIMEOUT: data that the peer's TCP does not acknowledge for this long ends the connection. Without it, a
  // vanished host goes unnoticed for a quarter of an hour.
  int64_t tcp_user_timeout_ns = 30 * kNanosPerSecond;
  // An empty authority is replaced by host:port; `secure` is set by `security`.
  ClientSessionOptions session{.authority = ""};
};

class ChannelListener {
 public:
  virtual ~ChannelListener() = default;
  // Connected, and the server's SETTINGS have arrived.
  virtual void on_ready() {}
  // The connection was lost or could not be made, and its calls have ended. Called once for each attempt.
  virtual void on_closed(const Error& /*reason*/) {}
  // The server sent GOAWAY. Running calls continue; a new call or connect() opens another connection. on_closed() is
  // not called for a connection that ends this way.
  virtual void on_goaway(const GoAway& /*goaway*/) {}
};

enum class ChannelState { kIdle, kConnecting, kReady };

class Channel final : public CallStarter {
 public:
  // `listener` may be nullptr; otherwise it must outlive the channel.
  Channel(EventLoop& loop, Resolver& resolver, ChannelOptions options, ChannelListener* listener = nullptr);
  ~Channel() override;
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  // Does nothing if connected or connecting.
  void connect();
  // Connects if needed: the call waits for the connection, and ends with UNAVAILABLE if that fails.
  std::unique_ptr<ClientCall> start(std::string_view path, const CallOptions& options,
                                    ClientCallHandler& handler) override;
  // A unary call. The callback is called later, exactly once, unless the channel is destroyed first.
  void unary(std::string_view path, std::string_view request, const CallOptions& options,
             UnaryCalls::Callback callback);
  // Closes every connection now. Calls end later with CANCELLED; on_closed() is not called.
  void close();

  ChannelState state() const;
  // The address of the connection, "" without one.
  std::string peer() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
  std::unique_ptr<UnaryCalls> unary_;
};

}  // namespace monitor::grpc
