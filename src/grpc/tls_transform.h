// TlsTransform: a TLS connection on memory BIOs. Private to the TLS code and its tests; tls.h makes the contexts.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <string_view>

#include "grpc/secure_transform.h"

namespace monitor::grpc {

// OpenSSL's error text; empties its error queue.
std::string openssl_errors();

// The verification callback of every context. It records why the peer's certificate was refused, for the error's text.
// A missing CRL is an error only if it is that of the CA that issued the peer's own certificate.
int on_verify(int ok, X509_STORE_CTX* store);

class TlsTransform final : public SecureTransform {
 public:
  // Takes ownership of `ssl`, which must be configured as client or server, without BIOs. A handshake error says why
  // the peer was refused, or what it has refused.
  explicit TlsTransform(SSL* ssl);

  Status receive(std::string_view bytes, std::string& plain) override;
  Status send(std::string_view plain) override;
  bool ready() const override { return ready_; }
  bool peer_closed() const override { return peer_closed_; }
  void close() override;
  void take_output(std::string& out) override;
  const PeerCertificate* peer_certificate() const override { return certificate_.get(); }

 private:
  struct Free {
    void operator()(SSL* ssl) const { SSL_free(ssl); }
  };

  Status step();
  Status established();
  Status read_plain(std::string& plain);

  std::unique_ptr<SSL, Free> ssl_;
  BIO* in_;
  BIO* out_;
  std::unique_ptr<PeerCertificate> certificate_;
  std::string refusal_;  // why the peer's certificate was refused
  bool ready_ = false;
  bool peer_closed_ = false;
};

}  // namespace monitor::grpc
