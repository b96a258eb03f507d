// TLS for gRPC, on OpenSSL with memory BIOs: TLS 1.2 and 1.3, with ALPN "h2" required on both sides. Keys and
// signatures weaker than 112 bits (RSA below 2048 bits, SHA-1) are refused. Contexts are immutable and may be shared by
// threads. OpenSSL is initialized with the first one.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "grpc/secure_transform.h"

namespace monitor::grpc {

enum class ClientAuth {
  kOff,            // clients are not asked for a certificate
  kVerifyIfGiven,  // a certificate that a client presents must be valid
  kRequire,        // every client must present a valid certificate
};

struct TlsServerOptions {
  std::string certificate_file;  // PEM, followed by the chain
  std::string key_file;          // PEM
  // PEM; the CAs that sign clients' certificates. Empty: clients are not asked for one.
  std::string client_ca_file;
  ClientAuth client_auth = ClientAuth::kRequire;  // if client_ca_file is set
  // PEM; empty: revocation is not checked. The file must contain a current CRL of the CA that issued a peer's
  // certificate. CRLs of the CAs above it are applied if the file contains them.
  std::string crl_file;
};

struct TlsClientOptions {
  // PEM; empty: the system's store.
  std::string ca_file;
  // The name or literal address that the server's certificate must contain; also sent as SNI.
  std::string server_name;
  // The client's certificate, if both are set.
  std::string certificate_file;
  std::string key_file;
  std::string crl_file;  // as for servers
  // Instead of ca_file: the SHA-256 of a CA's public key (SubjectPublicKeyInfo), 64 lower-case hexadecimal digits. The
  // server must send this CA's certificate in its chain, and be certified by it.
  std::string ca_pin;
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
