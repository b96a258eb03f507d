// TLS for gRPC, on OpenSSL with memory BIOs: TLS 1.2 and newer, with ALPN "h2" required on both sides. Contexts are
// immutable and may be shared by threads. OpenSSL is initialized with the first one.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "grpc/secure_transform.h"

namespace monitor::grpc {

struct TlsServerOptions {
  std::string certificate_file;  // PEM, followed by the chain
  std::string key_file;          // PEM
  // If set, clients must present a certificate signed by one of these.
  std::string client_ca_file;
};

struct TlsClientOptions {
  // PEM; empty: the system's store.
  std::string ca_file;
  // The name or literal address that the server's certificate must contain; also sent as SNI.
  std::string server_name;
  // The client's certificate, if both are set.
  std::string certificate_file;
  std::string key_file;
};

class TlsServerContext {
 public:
  // Reads the files; errors name the file and OpenSSL's reason.
  static Result<std::shared_ptr<const SecurityContext>> load(const TlsServerOptions& options);
};

class TlsClientContext {
 public:
  static Result<std::shared_ptr<const SecurityContext>> load(const TlsClientOptions& options);
};

}  // namespace monitor::grpc
