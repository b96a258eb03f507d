#include "grpc/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/log.h"
#include "grpc/read_certificate.h"
#include "grpc/tls_pin.h"
#include "grpc/tls_transform.h"

namespace monitor::grpc {
namespace {

constexpr unsigned char kAlpn[] = {2, 'h', '2'};
// 112 bits: RSA and DH from 2048 bits, elliptic curves from 224 bits, no SHA-1.
constexpr int kLeastSecurityLevel = 2;
// For TLS 1.2, what HTTP/2 allows (RFC 9113, 9.2.2): forward secrecy and AEAD.
constexpr const char* kCiphers = "ECDHE+AESGCM:ECDHE+CHACHA20";

struct ContextFree {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
using ContextPtr = std::unique_ptr<SSL_CTX, ContextFree>;

Error load_error(const std::string& what, const std::string& file) {
  // If the file cannot be opened, errno gives the better text.
  if (access(file.c_str(), R_OK) != 0) {
    ERR_clear_error();
    return errno_error(errno, what + " " + file);
  }
  return Error(Code::kInvalidArgument, what + " " + file + ": " + openssl_errors());
}

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
  SSL_CTX_set_max_proto_version(context.get(), TLS1_3_VERSION);
  SSL_CTX_set_security_level(context.get(), std::max(kLeastSecurityLevel, SSL_CTX_get_security_level(context.get())));
  SSL_CTX_set_cipher_list(context.get(), kCiphers);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  // There are many idle connections, so empty buffers are freed.
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  // An encrypted key is an error. By default, OpenSSL would ask the terminal for its password, and wait.
  SSL_CTX_set_default_passwd_cb(context.get(), [](char*, int, int, void*) { return 0; });
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

// With an expired CRL, every certificate of its CA is refused, so the operator must be warned.
void warn_if_expired(const X509_CRL* crl, const std::string& file) {
  const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(crl);
  if (next == nullptr || X509_cmp_current_time(next) > 0) return;
  log_warning("a CRL has expired: every certificate of its CA is refused until the file is renewed",
              {{"file", file}, {"issuer", issuer_text(crl)}});
}

Status use_crl(SSL_CTX* context, const std::string& file) {
  if (file.empty()) return {};
  X509_STORE* const store = SSL_CTX_get_cert_store(context);
  X509_LOOKUP* const lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
  if (lookup == nullptr || X509_load_crl_file(lookup, file.c_str(), X509_FILETYPE_PEM) <= 0) {
    return load_error("CRL file", file);
  }
  STACK_OF(X509_OBJECT)* const objects = X509_STORE_get0_objects(store);
  for (int i = 0; i < sk_X509_OBJECT_num(objects); ++i) {
    const X509_CRL* const crl = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
    if (crl != nullptr) warn_if_expired(crl, file);
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return {};
}

Status verify_clients(SSL_CTX* context, const TlsServerOptions& options) {
  if (options.client_ca_file.empty() || options.client_auth == ClientAuth::kOff) return {};
  if (SSL_CTX_load_verify_file(context, options.client_ca_file.c_str()) != 1) {
    return load_error("client CA file", options.client_ca_file);
  }
  const bool require = options.client_auth == ClientAuth::kRequire;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (require ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), on_verify);
  return use_crl(context, options.crl_file);
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
  // `ca_pin` may be empty.
  ClientContext(ContextPtr context, std::string server_name, std::string ca_pin)
      : context_(std::move(context)), server_name_(std::move(server_name)), ca_pin_(std::move(ca_pin)) {
    if (!ca_pin_.empty()) verify_by_pin(context_.get(), ca_pin_);
  }
  std::unique_ptr<SecureTransform> new_connection() const override {
    SSL* ssl = SSL_new(context_.get());
    SSL_set_connect_state(ssl);
    // An address is compared with the certificate's addresses, and not sent as SNI (RFC 6066, 3).
    if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), server_name_.c_str()) != 1) {
      // Only SANs count as names (RFC 9525), and a wildcard must be a whole label.
      SSL_set_hostflags(ssl, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      SSL_set1_host(ssl, server_name_.c_str());
      SSL_set_tlsext_host_name(ssl, server_name_.c_str());
    }
    return std::make_unique<TlsTransform>(ssl);
  }

 private:
  ContextPtr context_;
  std::string server_name_;
  const std::string ca_pin_;
};

}  // namespace

Result<std::shared_ptr<const SecurityContext>> TlsServerContext::load(const TlsServerOptions& options) {
  Result<ContextPtr> context = new_context(TLS_server_method());
  if (!context.ok()) return context.error();
  SSL_CTX* const raw = context->get();
  if (const Status loaded = use_identity(raw, options.certificate_file, options.key_file); !loaded.ok()) {
    return loaded.error();
  }
  if (const Status verifying = verify_clients(raw, options); !verifying.ok()) return verifying.error();
  // Streams are long-lived, so session tickets would cost more than they save.
  SSL_CTX_set_num_tickets(raw, 0);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);  // those of TLS 1.2
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_alpn_select_cb(raw, select_alpn, nullptr);
  return std::shared_ptr<const SecurityContext>(std::make_shared<ServerContext>(std::move(*context)));
}

Result<std::shared_ptr<const SecurityContext>> TlsClientContext::load(const TlsClientOptions& options) {
  Result<ContextPtr> context = new_context(TLS_client_method());
  if (!context.ok()) return context.error();
  SSL_CTX* const raw = context->get();
  if (!options.ca_pin.empty()) {
    if (!options.ca_file.empty()) return Error(Code::kInvalidArgument, "TLS: a CA file does not go with a CA's pin");
  } else if (options.ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1) return load_error("the system's certificates", "");
  } else if (SSL_CTX_load_verify_file(raw, options.ca_file.c_str()) != 1) {
    return load_error("CA file", options.ca_file);
  }
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, on_verify);
  if (const Status checking = use_crl(raw, options.crl_file); !checking.ok()) return checking.error();
  if (!options.certificate_file.empty() || !options.key_file.empty()) {
    if (const Status loaded = use_identity(raw, options.certificate_file, options.key_file); !loaded.ok()) {
      return loaded.error();
    }
  }
  if (options.server_name.empty()) return Error(Code::kInvalidArgument, "TLS: no name of the server to verify");
  SSL_CTX_set_alpn_protos(raw, kAlpn, sizeof kAlpn);
  return std::shared_ptr<const SecurityContext>(
      std::make_shared<ClientContext>(std::move(*context), options.server_name, options.ca_pin));
}

}  // namespace monitor::grpc
