// SecureTransform: encrypts and decrypts the bytes of a connection, without I/O. tls.h has the only implementation; the
// interface keeps OpenSSL out of programs that do not use TLS.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "base/net/peer_certificate.h"
#include "base/result.h"

namespace monitor::grpc {

class SecureTransform {
 public:
  virtual ~SecureTransform() = default;
  // Consumes bytes from the socket and appends the decrypted bytes to `plain`. After an error, send what take_output()
  // returns (an alert), then close. The peer's orderly end sets peer_closed().
  virtual Status receive(std::string_view bytes, std::string& plain) = 0;
  // Encrypts bytes to send. Requires ready().
  virtual Status send(std::string_view plain) = 0;
  // True after the handshake, with a verified peer.
  virtual bool ready() const = 0;
  virtual bool peer_closed() const = 0;
  // Orderly end: queues close_notify.
  virtual void close() = 0;
  // Appends the bytes to send on the socket.
  virtual void take_output(std::string& out) = 0;
  virtual const PeerCertificate* peer_certificate() const = 0;
};

// Creates the transforms of new connections. Immutable after construction; may be shared by threads.
class SecurityContext {
 public:
  virtual ~SecurityContext() = default;
  virtual std::unique_ptr<SecureTransform> new_connection() const = 0;
};

}  // namespace monitor::grpc
