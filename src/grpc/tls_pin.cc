#include "grpc/tls_pin.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>

#include <array>
#include <string_view>

#include "base/hex.h"

namespace monitor::grpc {

namespace {

bool has_pin(X509* certificate, std::string_view pin) {
  unsigned char* bytes = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &bytes);
  if (size <= 0) return false;
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(bytes, static_cast<size_t>(size), digest.data());
  OPENSSL_free(bytes);
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()}) == pin;
}

// As on_verify(): keeps the reason for the error's text.
void refuse(X509_STORE_CTX* context) {
  X509_STORE_CTX_set_error(context, X509_V_ERR_APPLICATION_VERIFICATION);
  auto* const ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* const text = static_cast<std::string*>(SSL_get_app_data(ssl));
  if (text == nullptr) return;
  *text = "the peer's certificate is refused: no CA that the server shows has the expected public key";
}

int verify(X509_STORE_CTX* context, void* argument) {
  const std::string& pin = *static_cast<const std::string*>(argument);
  STACK_OF(X509)* const shown = X509_STORE_CTX_get0_untrusted(context);
  STACK_OF(X509)* const trusted = sk_X509_new_null();
  for (int i = 0; i < sk_X509_num(shown); ++i) {
    X509* const one = sk_X509_value(shown, i);
    if (X509_check_ca(one) == 1 && has_pin(one, pin)) sk_X509_push(trusted, one);
  }
  int verified = 0;
  if (sk_X509_num(trusted) == 0) {
    refuse(context);
  } else {
    // Nothing but the pinned CA is trusted, whatever the context's store contains.
    X509_STORE_CTX_set0_trusted_stack(context, trusted);
    verified = X509_verify_cert(context);
  }
  X509_STORE_CTX_set0_trusted_stack(context, nullptr);
  sk_X509_free(trusted);
  return verified;
}

}  // namespace

void verify_by_pin(SSL_CTX* context, const std::string& pin) {
  SSL_CTX_set_cert_verify_callback(context, verify, const_cast<std::string*>(&pin));
}

}  // namespace monitor::grpc
