// Connection: a blocking TCP connection, with or without TLS, on which every call ends by one deadline. It looks at
// peers that may be wrong: TLS goes on when verification fails, and chain() says why. Never send a secret on it.
// Not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/net/address.h"
#include "base/result.h"
#include "doctor/certificate.h"
#include "doctor/setup.h"

namespace monitor::doctor {

class Connection {
 public:
  // Resolves the name and tries its addresses in turn. kUnavailable: refused, unreachable, unknown name;
  // kDeadlineExceeded. The time limit holds for all later calls, too, but not for the resolver.
  static Result<std::unique_ptr<Connection>> open(const HostPort& address, int64_t timeout_ns);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // `alpn`: one protocol; empty: none. Errors: an unreadable CA file; the handshake fails. An own certificate that
  // cannot be used is left out: the check of certificate files reports it.
  Status start_tls(const std::string& server_name, const TlsFiles& files, const std::string& alpn);
  Status write(std::string_view bytes);
  // Appends what arrives next to `into`. False at the end of the stream.
  Result<bool> read(std::string& into);
  const PeerChain& chain() const;

 private:
  struct Impl;
  explicit Connection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::doctor
