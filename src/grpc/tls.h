// TLS for gRPC, on OpenSSL with memory BIOs: TLS 1.2 and up, ALPN "h2" demanded on both sides. Contexts are immutable
// and may be shared by threads; nothing of OpenSSL is set up before the first one is made.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "grpc/secure_transform.h"

namespace monitor::grpc {

struct TlsServerOptions {
  std::string certificate_file;  // PEM, the chain after it
  std::string key_file;          // PEM
  // If set, clients must show a certificate signed by one of these.
  std::string client_ca_file;
};

struct TlsClientOptions {
  // PEM; empty: the system's store.
  std::string ca_file;
  // The name, or literal address, that the server's certificate must hold; also sent as SNI.
  std::string server_name;
  // What the client shows, if both are set.
  std::string certificate_file;
  std::string key_file;
};

class TlsServerContext {
 public:
  // Reads the files; the error names the file and what OpenSSL says of it.
  static Result<std::shared_ptr<const SecurityContext>> load(const TlsServerOptions& options);
};

class TlsClientContext {
 public:
  static Result<std::shared_ptr<const SecurityContext>> load(const TlsClientOptions& options);
};

}  // namespace monitor::grpc
