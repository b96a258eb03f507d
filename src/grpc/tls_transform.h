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

// The verification callback of every context. It keeps for the error's text why the peer's certificate was refused. Of
// missing CRLs, only that of the CA that issued the peer's own certificate is an error.
int on_verify(int ok, X509_STORE_CTX* store);

class TlsTransform final : public SecureTransform {
 public:
  // `ssl` is set up for its side, without BIOs; owned. Errors of the handshake say why the peer was refused, or what it
  // refused.
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
