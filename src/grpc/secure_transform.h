// What turns plain bytes into protected ones and back, on one connection, without I/O. tls.h has the one
// implementation; this face lets everything else do without TLS's code until it is used.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace monitor::grpc {

struct PeerCertificate;

class SecureTransform {
 public:
  virtual ~SecureTransform() = default;
  // Bytes from the socket; plain ones that this completes are appended to `plain`. An error ends the connection, after
  // what take_output() still has (an alert) was sent. The peer's orderly end sets peer_closed().
  virtual Status receive(std::string_view bytes, std::string& plain) = 0;
  // Plain bytes to send; only when ready().
  virtual Status send(std::string_view plain) = 0;
  // The handshake is complete, and the peer is who it should be.
  virtual bool ready() const = 0;
  virtual bool peer_closed() const = 0;
  // Orderly end: queues a close notification.
  virtual void close() = 0;
  // Appends what is to be sent on the socket.
  virtual void take_output(std::string& out) = 0;
  virtual const PeerCertificate* peer_certificate() const = 0;
};

// Makes the transform of a new connection. Immutable once made, may be shared by threads.
class SecurityContext {
 public:
  virtual ~SecurityContext() = default;
  virtual std::unique_ptr<SecureTransform> new_connection() const = 0;
};

}  // namespace monitor::grpc
