#include "grpc/tls_transform.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <climits>
#include <cstring>

#include "base/text.h"
#include "grpc/read_certificate.h"

namespace monitor::grpc {

namespace {

constexpr size_t kPlainPiece = size_t{16} * 1024;  // one TLS record
constexpr size_t kMostPending = size_t{64} * 1024;
constexpr size_t kMaxSubject = 200;
constexpr size_t kMaxNames = 5;

bool is_alert(unsigned long code) {
  const int reason = ERR_GET_REASON(code);
  return ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET && reason < SSL_AD_REASON_OFFSET + 256;
}

// Adds what an operator must know and OpenSSL's reason does not say.
std::string hint(unsigned long code) {
  if (ERR_GET_LIB(code) != ERR_LIB_SSL) return "";
  switch (ERR_GET_REASON(code)) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
      return ": the peer does not use TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
      return ": TLS 1.2 or 1.3 is required";
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return ", and one is required";
    default:
      return "";
  }
}

std::string reason_of(unsigned long code) {
  const char* const reason = ERR_reason_error_string(code);
  if (is_alert(code)) {
    std::string alert = SSL_alert_desc_string_long(ERR_GET_REASON(code) - SSL_AD_REASON_OFFSET);
    // OpenSSL's table of alerts lacks those of TLS 1.3; its reason has their names.
    if (alert == "unknown" && reason != nullptr) alert = reason;
    return "the peer ended it with the alert \"" + alert + "\"";
  }
  if (reason != nullptr) return reason + hint(code);
  char line[256];
  ERR_error_string_n(code, line, sizeof line);
  return line;
}

std::string cut(const std::string& text) {
  const std::string safe = sanitize_utf8(text);
  return safe.size() <= kMaxSubject ? safe : sanitize_utf8(safe.substr(0, kMaxSubject)) + "...";
}

std::string described(X509* certificate, int why) {
  const PeerCertificate read = read_certificate(certificate);
  std::string text = (read.subject.empty() ? "no subject" : "subject " + cut(read.subject)) + ", serial " +
                     cut(read.serial) + ", issuer " + cut(read.issuer);
  if (why != X509_V_ERR_HOSTNAME_MISMATCH && why != X509_V_ERR_IP_ADDRESS_MISMATCH) {
    for (size_t i = 0; i < std::min(read.uris.size(), kMaxNames); ++i) text += ", URI " + cut(read.uris[i]);
    return text;
  }
  for (size_t i = 0; i < std::min(read.dns_names.size(), kMaxNames); ++i)
    text += ", DNS name " + cut(read.dns_names[i]);
  return text;
}

}  // namespace

std::string openssl_errors() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) text += (text.empty() ? "" : "; ") + reason_of(code);
  return text.empty() ? "unknown error" : text;
}

int on_verify(int ok, X509_STORE_CTX* store) {
  if (ok != 0) return 1;
  const int why = X509_STORE_CTX_get_error(store);
  const int depth = X509_STORE_CTX_get_error_depth(store);
  if (why == X509_V_ERR_UNABLE_TO_GET_CRL && depth > 0) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const text = static_cast<std::string*>(SSL_get_app_data(ssl));
  if (text == nullptr) return 0;
  *text = "the peer's certificate is refused: " + std::string(X509_verify_cert_error_string(why));
  if (X509* const certificate = X509_STORE_CTX_get_current_cert(store)) {
    *text += depth == 0 ? " (" : " (of the CA above it: ";
    *text += described(certificate, why) + ")";
  }
  return 0;
}

TlsTransform::TlsTransform(SSL* ssl) : ssl_(ssl), in_(BIO_new(BIO_s_mem())), out_(BIO_new(BIO_s_mem())) {
  SSL_set_bio(ssl_.get(), in_, out_);  // owns both
  SSL_set_app_data(ssl_.get(), &refusal_);
  (void)step();  // a client's first flight; an error is reported again when bytes arrive
}

Status TlsTransform::receive(std::string_view bytes, std::string& plain) {
  // What waits although everything was taken is the answer to the peer's own TLS messages (KeyUpdate), which it does
  // not read.
  if (ready_ && BIO_ctrl_pending(out_) > kMostPending) {
    return Error(Code::kResourceExhausted, "TLS: the peer reads nothing");
  }
  // A memory BIO accepts any amount.
  BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  if (!ready_) {
    if (Status handshake = step(); !handshake.ok() || !ready_) return handshake;
  }
  return read_plain(plain);
}

Status TlsTransform::send(std::string_view plain) {
  while (!plain.empty()) {
    ERR_clear_error();
    const size_t piece = std::min<size_t>(plain.size(), INT_MAX);
    const int sent = SSL_write(ssl_.get(), plain.data(), static_cast<int>(piece));
    if (sent <= 0) return Error(Code::kUnavailable, "TLS: " + openssl_errors());
    plain.remove_prefix(static_cast<size_t>(sent));
  }
  return {};
}

void TlsTransform::close() {
  ERR_clear_error();
  if (ready_) SSL_shutdown(ssl_.get());
}

void TlsTransform::take_output(std::string& out) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(out_, &data);
  if (size <= 0) return;
  out.append(data, static_cast<size_t>(size));
  BIO_reset(out_);
}

Status TlsTransform::step() {
  ERR_clear_error();
  const int rc = SSL_do_handshake(ssl_.get());
  if (rc == 1) return established();
  const int why = SSL_get_error(ssl_.get(), rc);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) return {};
  const std::string reason = openssl_errors();
  return Error(Code::kUnavailable, "TLS handshake: " + (refusal_.empty() ? reason : refusal_));
}

Status TlsTransform::established() {
  const unsigned char* protocol = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(ssl_.get(), &protocol, &size);
  if (size != 2 || std::memcmp(protocol, "h2", 2) != 0) {
    return Error(Code::kUnavailable, "TLS: the peer does not offer HTTP/2 (ALPN h2)");
  }
  if (X509* peer = SSL_get0_peer_certificate(ssl_.get())) {
    certificate_ = std::make_unique<PeerCertificate>(read_certificate(peer));
    certificate_->authorities = read_authorities(SSL_get0_verified_chain(ssl_.get()));
  }
  ready_ = true;
  return {};
}

Status TlsTransform::read_plain(std::string& plain) {
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
        // With TLS 1.3, a server refuses a client's certificate after the client's handshake is complete.
        return Error(Code::kUnavailable, "TLS: " + openssl_errors());
    }
  }
}

}  // namespace monitor::grpc
