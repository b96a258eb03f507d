// ClientConnection: one connection attempt of a channel, and the connection it becomes: resolving, trying addresses in
// turn, TLS, the session. Used once; held by shared_ptr, so that it survives callbacks that end it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "grpc/channel.h"
#include "grpc/socket_transport.h"

namespace monitor::grpc {

class ClientConnection final : public std::enable_shared_from_this<ClientConnection>,
                               public ClientSessionHandler,
                               public SocketTransport::Owner {
 public:
  class Events {
   public:
    virtual ~Events() = default;
    virtual void on_connection_ready(ClientConnection& connection) = 0;
    virtual void on_connection_goaway(ClientConnection& connection, const GoAway& goaway) = 0;
    // The last callback; the connection's calls have ended.
    virtual void on_connection_gone(ClientConnection& connection, const Error& reason) = 0;
  };

  ClientConnection(EventLoop& loop, Resolver& resolver, const ChannelOptions& options, Events& events);
  ~ClientConnection() override;

  void begin();
  ClientSession& session() { return *session_; }
  const std::string& peer() const { return peer_; }
  // Ends the calls with this error, later; on_connection_gone() follows.
  void fail(const Error& error);
  // Closes at once, without any callback.
  void abandon();

 private:
  void on_output_wanted() override;
  void on_ready() override;
  void on_goaway(const GoAway& goaway) override;
  void on_finished(const Error& reason) override;
  void on_secured(const PeerCertificate* certificate) override;
  void on_transport_closed() override;

  void resolved(Result<std::vector<SocketAddress>> addresses);
  void try_next();
  // Returns false if this address failed at once.
  bool try_address(const SocketAddress& address);
  void connect_done();
  void address_failed(const Error& error);
  void connected();
  void close_socket();

  EventLoop& loop_;
  Resolver& resolver_;
  const ChannelOptions& options_;
  Events* events_;
  std::unique_ptr<ClientSession> session_;
  std::shared_ptr<SocketTransport> transport_;
  std::vector<SocketAddress> addresses_;
  size_t next_address_ = 0;
  int connecting_fd_ = -1;
  std::string peer_;
  std::string failures_;
  Timers::TimerId timer_ = 0;
};

}  // namespace monitor::grpc
