#include "grpc/testing/forge.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <ctime>
#include <iostream>
#include <source_location>
#include <utility>

#include "grpc/tls_transform.h"

namespace monitor::grpc {
namespace {

struct Free {
  void operator()(X509_CRL* crl) const { X509_CRL_free(crl); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
  void operator()(ASN1_TIME* time) const { ASN1_TIME_free(time); }
  void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
  void operator()(OSSL_PARAM* params) const { OSSL_PARAM_free(params); }
  void operator()(OSSL_PARAM_BLD* builder) const { OSSL_PARAM_BLD_free(builder); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

// A failure here is a fault of the test.
void require(bool holds, std::source_location where = std::source_location::current()) {
  if (holds) return;
  std::cerr << where.file_name() << ":" << where.line() << ": " << openssl_errors() << "\n";
  std::abort();
}

std::shared_ptr<X509> owned(X509* certificate) {
  require(certificate != nullptr);
  return {certificate, X509_free};
}
std::shared_ptr<EVP_PKEY> owned(EVP_PKEY* key) {
  require(key != nullptr);
  return {key, EVP_PKEY_free};
}

// Generating an RSA key takes long, so there is one for each size.
std::shared_ptr<EVP_PKEY> make_key(int rsa_bits) {
  if (rsa_bits == 0) return owned(EVP_EC_gen("P-256"));
  static std::vector<std::pair<int, std::shared_ptr<EVP_PKEY>>> made;
  for (const auto& [bits, key] : made) {
    if (bits == rsa_bits) return key;
  }
  made.emplace_back(rsa_bits, owned(EVP_RSA_gen(static_cast<unsigned>(rsa_bits))));
  return made.back().second;
}

template <typename Write>
std::string pem(Write write) {
  const Owned<BIO> bio(BIO_new(BIO_s_mem()));
  require(write(bio.get()) == 1);
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(size)};
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  require(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

void add_name(GENERAL_NAMES* names, int type, const std::string& bytes) {
  ASN1_IA5STRING* const text = ASN1_IA5STRING_new();
  require(ASN1_STRING_set(text, bytes.data(), static_cast<int>(bytes.size())) == 1);
  GENERAL_NAME* const name = GENERAL_NAME_new();
  GENERAL_NAME_set0_value(name, type, text);
  require(sk_GENERAL_NAME_push(names, name) > 0);
}

void add_alternative_names(X509* certificate, const CertificateSpec& spec) {
  const Owned<GENERAL_NAMES> names(GENERAL_NAMES_new());
  for (const std::string& uri : spec.uris) add_name(names.get(), GEN_URI, uri);
  for (const std::string& name : spec.dns_names) add_name(names.get(), GEN_DNS, name);
  for (const std::string& email : spec.emails) add_name(names.get(), GEN_EMAIL, email);
  if (sk_GENERAL_NAME_num(names.get()) == 0) return;
  require(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) == 1);
}

void add_unknown_extension(X509* certificate) {
  ASN1_OBJECT* const object = OBJ_txt2obj("1.3.6.1.4.1.99999.1", 1);
  ASN1_OCTET_STRING* const value = ASN1_OCTET_STRING_new();
  require(ASN1_OCTET_STRING_set(value, reinterpret_cast<const unsigned char*>("x"), 1) == 1);
  X509_EXTENSION* const extension = X509_EXTENSION_create_by_OBJ(nullptr, object, 1, value);
  require(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
  ASN1_OCTET_STRING_free(value);
  ASN1_OBJECT_free(object);
}

}  // namespace

std::string Credentials::certificate_pem() const {
  std::string text = pem([this](BIO* bio) { return PEM_write_bio_X509(bio, certificate.get()); });
  for (const auto& one : chain) text += pem([&one](BIO* bio) { return PEM_write_bio_X509(bio, one.get()); });
  return text;
}

std::string Credentials::key_pem() const {
  return pem(
      [this](BIO* bio) { return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
}

Credentials issue(const CertificateSpec& spec, const Credentials* issuer) {
  static long serial = 0x100000;
  Credentials out{.certificate = owned(X509_new()), .key = make_key(spec.rsa_bits)};
  X509* const raw = out.certificate.get();
  X509_set_version(raw, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(raw), spec.not_before);
  X509_gmtime_adj(X509_getm_notAfter(raw), spec.not_after);
  X509_set_pubkey(raw, out.key.get());
  for (const std::string& name : spec.common_names) {
    require(X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_UTF8,
                                       reinterpret_cast<const unsigned char*>(name.data()),
                                       static_cast<int>(name.size()), -1, 0) == 1);
  }
  X509* const by = issuer == nullptr ? raw : issuer->certificate.get();
  X509_set_issuer_name(raw, X509_get_subject_name(by));
  add_extension(raw, by, NID_basic_constraints, spec.basic_constraints);
  add_extension(raw, by, NID_key_usage, spec.key_usage);
  add_extension(raw, by, NID_ext_key_usage, spec.extended_key_usage);
  add_extension(raw, by, NID_name_constraints, spec.name_constraints);
  add_alternative_names(raw, spec);
  if (spec.unknown_critical_extension) add_unknown_extension(raw);
  const EVP_MD* const digest = EVP_get_digestbyname(spec.digest);
  require(X509_sign(raw, issuer == nullptr ? out.key.get() : issuer->key.get(), digest) > 0);
  // A chain does not contain the root.
  const bool root = issuer == nullptr || X509_self_signed(issuer->certificate.get(), 0) == 1;
  if (!root) {
    out.chain = issuer->chain;
    out.chain.insert(out.chain.begin(), issuer->certificate);
  }
  return out;
}

Credentials make_ca(const std::string& name, const Credentials* issuer) {
  return issue(
      {.common_names = {name}, .basic_constraints = "critical,CA:TRUE", .key_usage = "critical,keyCertSign,cRLSign"},
      issuer);
}

Credentials altered(const Credentials& original, std::string_view from, std::string_view to) {
  require(from.size() == to.size());
  unsigned char* der = nullptr;
  const int size = i2d_X509(original.certificate.get(), &der);
  std::string bytes(reinterpret_cast<const char*>(der), static_cast<size_t>(size));
  OPENSSL_free(der);
  const size_t at = bytes.find(from);
  require(at != std::string::npos);
  bytes.replace(at, to.size(), to);
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  return {.certificate = owned(d2i_X509(nullptr, &data, size)), .key = original.key, .chain = original.chain};
}

Credentials stolen(const Credentials& original) {
  // Combines the certificate's public key with another private key, so that OpenSSL accepts the two as a pair.
  const std::shared_ptr<EVP_PKEY> own = make_key(0);
  unsigned char point[256];
  size_t point_size = 0;
  BIGNUM* secret = nullptr;
  require(EVP_PKEY_get_octet_string_param(original.key.get(), OSSL_PKEY_PARAM_PUB_KEY, point, sizeof point,
                                          &point_size) == 1);
  require(EVP_PKEY_get_bn_param(own.get(), OSSL_PKEY_PARAM_PRIV_KEY, &secret) == 1);
  const Owned<BIGNUM> number(secret);
  const Owned<OSSL_PARAM_BLD> builder(OSSL_PARAM_BLD_new());
  OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, "P-256", 0);
  OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point, point_size);
  OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, secret);
  const Owned<OSSL_PARAM> params(OSSL_PARAM_BLD_to_param(builder.get()));
  const Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr));
  EVP_PKEY* made = nullptr;
  require(EVP_PKEY_fromdata_init(context.get()) == 1);
  require(EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_KEYPAIR, params.get()) == 1);
  return {.certificate = original.certificate, .key = owned(made), .chain = original.chain};
}

std::string make_crl(const Credentials& issuer, const std::vector<const Credentials*>& revoked, int64_t last_update,
                     int64_t next_update) {
  const Owned<X509_CRL> crl(X509_CRL_new());
  X509_CRL_set_version(crl.get(), X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(crl.get(), X509_get_subject_name(issuer.certificate.get()));
  const Owned<ASN1_TIME> last(ASN1_TIME_set(nullptr, time(nullptr) + last_update));
  const Owned<ASN1_TIME> next(ASN1_TIME_set(nullptr, time(nullptr) + next_update));
  X509_CRL_set1_lastUpdate(crl.get(), last.get());
  X509_CRL_set1_nextUpdate(crl.get(), next.get());
  for (const Credentials* one : revoked) {
    X509_REVOKED* const entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(one->certificate.get()));
    X509_REVOKED_set_revocationDate(entry, last.get());
    require(X509_CRL_add0_revoked(crl.get(), entry) == 1);
  }
  require(X509_CRL_sign(crl.get(), issuer.key.get(), EVP_sha256()) > 0);
  return pem([&crl](BIO* bio) { return PEM_write_bio_X509_CRL(bio, crl.get()); });
}

namespace {

constexpr unsigned char kAlpn[] = {2, 'h', '2'};

int select_h2(SSL* /*ssl*/, const unsigned char** out, unsigned char* size, const unsigned char* /*in*/,
              unsigned /*in_size*/, void* /*argument*/) {
  *out = kAlpn + 1;
  *size = 2;
  return SSL_TLSEXT_ERR_OK;
}

class RecklessContext final : public SecurityContext {
 public:
  RecklessContext(const Reckless& options, bool server) : server_(server), context_(SSL_CTX_new(TLS_method())) {
    SSL_CTX* const raw = context_.get();
    SSL_CTX_set_security_level(raw, 0);
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
    require(SSL_CTX_set_min_proto_version(raw, options.min_version) == 1);
    require(SSL_CTX_set_max_proto_version(raw, options.max_version) == 1);
    require(SSL_CTX_set_cipher_list(raw, options.ciphers.c_str()) == 1);
    SSL_CTX_set_verify(raw, SSL_VERIFY_NONE, nullptr);
    if (options.alpn && server) SSL_CTX_set_alpn_select_cb(raw, select_h2, nullptr);
    if (options.alpn && !server) SSL_CTX_set_alpn_protos(raw, kAlpn, sizeof kAlpn);
    if (options.credentials == nullptr) return;
    require(SSL_CTX_use_certificate(raw, options.credentials->certificate.get()) == 1);
    require(SSL_CTX_use_PrivateKey(raw, options.credentials->key.get()) == 1);
    for (const auto& one : options.credentials->chain) require(SSL_CTX_add1_chain_cert(raw, one.get()) == 1);
  }
  std::unique_ptr<SecureTransform> new_connection() const override {
    SSL* const ssl = SSL_new(context_.get());
    if (server_) {
      SSL_set_accept_state(ssl);
    } else {
      SSL_set_connect_state(ssl);
    }
    return std::make_unique<TlsTransform>(ssl);
  }

 private:
  bool server_;
  Owned<SSL_CTX> context_;
};

}  // namespace

std::shared_ptr<const SecurityContext> reckless_client(const Reckless& options) {
  return std::make_shared<RecklessContext>(options, false);
}
std::shared_ptr<const SecurityContext> reckless_server(const Reckless& options) {
  return std::make_shared<RecklessContext>(options, true);
}

}  // namespace monitor::grpc
