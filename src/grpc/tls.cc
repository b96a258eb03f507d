#include "grpc/tls.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <utility>

#include "grpc/read_certificate.h"

namespace monitor::grpc {
namespace {

constexpr unsigned char kAlpn[] = {2, 'h', '2'};
constexpr size_t kPlainPiece = size_t{16} * 1024;  // one TLS record

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct ConnectionFree {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextFree>;

// OpenSSL's error text; empties its error queue.
std::string openssl_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    char line[256];
    ERR_error_string_n(code, line, sizeof line);
    const char* reason = ERR_reason_error_string(code);
    text += (text.empty() ? "" : "; ") + std::string(reason != nullptr ? reason : line);
  }
  return text.empty() ? "unknown error" : text;
}

Error load_error(const std::string& what, const std::string& file) {
  // For a file that cannot be opened, errno has the better text.
  if (access(file.c_str(), R_OK) != 0) {
    ERR_clear_error();
    return errno_error(errno, what + " " + file);
  }
  return Error(Code::kInvalidArgument, what + " " + file + ": " + openssl_errors());
}

class TlsTransform final : public SecureTransform {
 public:
  // `ssl` must be configured as client or server, without BIOs.
  explicit TlsTransform(SSL* ssl) : ssl_(ssl), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl_.get(), in_, out_);  // owns both
    (void)step();                        // produces a client's first flight; an error is reported when bytes arrive
  }

  Status receive(std::string_view bytes, std::string& plain) override {
    // A memory BIO accepts any amount.
    BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
    if (!ready_) {
      if (Status handshake = step(); !handshake.ok() || !ready_) return handshake;
    }
    return read_plain(plain);
  }

  Status send(std::string_view plain) override {
    while (!plain.empty()) {
      ERR_clear_error();
      const size_t piece = std::min<size_t>(plain.size(), INT_MAX);
      const int sent = SSL_write(ssl_.get(), plain.data(), static_cast<int>(piece));
      if (sent <= 0) return Error(Code::kUnavailable, "TLS: " + openssl_errors());
      plain.remove_prefix(static_cast<size_t>(sent));
    }
    return {};
  }

  bool ready() const override { return ready_; }
  bool peer_closed() const override { return peer_closed_; }
  void close() override {
    ERR_clear_error();
    if (ready_) SSL_shutdown(ssl_.get());
  }

  void take_output(std::string& out) override {
    char* data = nullptr;
    const long size = BIO_get_mem_data(out_, &data);
    if (size <= 0) return;
    out.append(data, static_cast<size_t>(size));
    BIO_reset(out_);
  }

  const PeerCertificate* peer_certificate() const override { return certificate_.get(); }

 private:
  Status step() {
    ERR_clear_error();
    const int rc = SSL_do_handshake(ssl_.get());
    if (rc == 1) return established();
    const int why = SSL_get_error(ssl_.get(), rc);
    if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
    const long verify = SSL_get_verify_result(ssl_.get());
    const std::string detail =
        verify == X509_V_OK ? "" : " (" + std::string(X509_verify_cert_error_string(verify)) + ")";
    return Error(Code::kUnavailable, "TLS handshake: " + openssl_errors() + detail);
  }

  Status established() {
    const unsigned char* protocol = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
    if (size != 2 || std::memcmp(protocol, "h2", 2) != 0) {
      return Error(Code::kUnavailable, "TLS: the peer does not offer HTTP/2 (ALPN h2)");
    }
    if (X509* peer = SSL_get0_peer_certificate(ssl_.get())) {
      certificate_ = std::make_unique<PeerCertificate>(read_certificate(peer));
    }
    ready_ = true;
    return {};
  }

  Status read_plain(std::string& plain) {
    while (true) {
      ERR_clear_error();
      const size_t before = plain.size();
      plain.resize(before + kPlainPiece);
      const int got = SSL_read(ssl_.get(), plain.data() + before, static_cast<int>(kPlainPiece));
      plain.resize(before + static_cast<size_t>(std::max(got, 0)));
      if (got > 0) continue;
      switch (SSL_get_error(ssl_.get(), got)) {
        case SSL_ERROR_WANT_READ:
        case SSL_ERROR_WANT_WRITE:
          return {};
        case SSL_ERROR_ZERO_RETURN:
          peer_closed_ = true;
          return {};
        default:
          return Error(Code::kUnavailable, "TLS: " + openssl_errors());
      }
    }
  }

  std::unique_ptr<SSL, ConnectionFree> ssl_;
  BIO* in_;
  BIO* out_;
  std::unique_ptr<PeerCertificate> certificate_;
  bool ready_ = false;
  bool peer_closed_ = false;
};

int select_alpn(SSL* /*ssl*/, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned in_size, void* /*argument*/) {
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_size, kAlpn, sizeof kAlpn, in, in_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  }
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

Result<ContextPtr> new_context(const SSL_METHOD* method) {
  ContextPtr context(SSL_CTX_new(method));
  if (context == nullptr) return Error(Code::kInternal, "TLS: " + openssl_errors());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // There are many idle connections, so empty buffers are freed.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Status use_identity(SSL_CTX* context, const std::string& certificate_file, const std::string& key_file) {
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return load_error("certificate file", certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1) {
    return load_error("key file", key_file);
  }
  if (SSL_CTX_check_private_key(context) != 1) return load_error("key does not belong to the certificate:", key_file);
  return {};
}

class ServerContext final : public SecurityContext {
 public:
  explicit ServerContext(ContextPtr context) : context_(std::move(context)) {}
  std::unique_ptr<SecureTransform> new_connection() const override {
    SSL* ssl = SSL_new(context_.get());
    SSL_set_accept_state(ssl);
    return std::make_unique<TlsTransform>(ssl);
  }

 private:
  ContextPtr context_;
};

class ClientContext final : public SecurityContext {
 public:
  ClientContext(ContextPtr context, std::string server_name)
      : context_(std::move(context)), server_name_(std::move(server_name)) {}
  std::unique_ptr<SecureTransform> new_connection() const override {
    SSL* ssl = SSL_new(context_.get());
    SSL_set_connect_state(ssl);
    // An address is compared with the certificate's addresses, and not sent as SNI (RFC 6066, 3).
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name_.c_str()) != 1) {
      SSL_set1_host(ssl, server_name_.c_str());
      SSL_set_tlsext_host_name(ssl, server_name_.c_str());
    }
    return std::make_unique<TlsTransform>(ssl);
  }

 private:
  ContextPtr context_;
  std::string server_name_;
};

}  // namespace

Result<std::shared_ptr<const SecurityContext>> TlsServerContext::load(const TlsServerOptions& options) {
  Result<ContextPtr> context = new_context(TLS_server_method());
  if (!context.ok()) return context.error();
  SSL_CTX* const raw = context->get();
  if (const Status loaded = use_identity(raw, options.certificate_file, options.key_file); !loaded.ok()) {
    return loaded.error();
  }
  if (!options.client_ca_file.empty()) {
    if (SSL_CTX_load_verify_file(raw, options.client_ca_file.c_str()) != 1) {
      return load_error("client CA file", options.client_ca_file);
    }
    SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  }
  // Streams are long-lived, so session tickets would only cost.
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(raw, select_alpn, nullptr);
  return std::shared_ptr<const SecurityContext>(std::make_shared<ServerContext>(std::move(*context)));
}

Result<std::shared_ptr<const SecurityContext>> TlsClientContext::load(const TlsClientOptions& options) {
  Result<ContextPtr> context = new_context(TLS_client_method());
  if (!context.ok()) return context.error();
  SSL_CTX* const raw = context->get();
  if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1) return load_error("the system's certificates", "");
  } else if (SSL_CTX_load_verify_file(raw, options.ca_file.c_str()) != 1) {
    return load_error("CA file", options.ca_file);
  }
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  if (!options.certificate_file.empty() || !options.key_file.empty()) {
    if (const Status loaded = use_identity(raw, options.certificate_file, options.key_file); !loaded.ok()) {
      return loaded.error();
    }
  }
  if (options.server_name.empty()) return Error(Code::kInvalidArgument, "TLS: no name of the server to verify");
  SSL_CTX_set_alpn_protos(raw, kAlpn, sizeof kAlpn);
  return std::shared_ptr<const SecurityContext>(
      std::make_shared<ClientContext>(std::move(*context), options.server_name));
}

}  // namespace monitor::grpc
