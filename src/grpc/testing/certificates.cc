#include "grpc/testing/certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>

namespace monitor::grpc {
namespace {

struct Free {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
  void operator()(X509* certificate) const { X509_free(certificate); }
  void operator()(FILE* file) const { (void)fclose(file); }
};
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Certificate = std::unique_ptr<X509, Free>;
using File = std::unique_ptr<FILE, Free>;

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

// Signed by the issuer, or by itself.
Certificate make(const std::string& name, EVP_PKEY* key, X509* issuer, EVP_PKEY* issuer_key, const std::string& names) {
  static long serial = 1;
  Certificate certificate(X509_new());
  X509* const raw = certificate.get();
  X509_set_version(raw, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(raw), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(raw), -3600);
  X509_gmtime_adj(X509_getm_notAfter(raw), 86400);
  X509_set_pubkey(raw, key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(raw), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
  X509* const by = issuer != nullptr ? issuer : raw;
  X509_set_issuer_name(raw, X509_get_subject_name(by));
  add_extension(raw, by, NID_basic_constraints, issuer == nullptr ? "critical,CA:TRUE" : "critical,CA:FALSE");
  if (!names.empty()) add_extension(raw, by, NID_subject_alt_name, names);
  if (X509_sign(raw, issuer_key, EVP_sha256()) == 0) std::abort();
  return certificate;
}

void write(const std::string& path, X509* certificate) {
  const File file(fopen(path.c_str(), "we"));
  if (file == nullptr || PEM_write_X509(file.get(), certificate) != 1) std::abort();
}

void write(const std::string& path, EVP_PKEY* key) {
  const File file(fopen(path.c_str(), "we"));
  if (file == nullptr || PEM_write_PrivateKey(file.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1)
    std::abort();
}

}  // namespace

TestCertificates::TestCertificates() {
  std::string pattern = (std::filesystem::temp_directory_path() / "certificates-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) std::abort();
  folder_ = pattern;
  const Key ca_key(EVP_EC_gen("P-256"));
  const Key server_key_pair(EVP_EC_gen("P-256"));
  const Key client_key_pair(EVP_EC_gen("P-256"));
  const Key other_key(EVP_EC_gen("P-256"));
  const Certificate ca_cert = make("test CA", ca_key.get(), nullptr, ca_key.get(), "");
  write(ca(), ca_cert.get());
  write(
      server_certificate(),
      make("localhost", server_key_pair.get(), ca_cert.get(), ca_key.get(), "DNS:localhost,IP:127.0.0.1,IP:::1").get());
  write(server_key(), server_key_pair.get());
  write(client_certificate(), make("agent-7", client_key_pair.get(), ca_cert.get(), ca_key.get(),
                                   "DNS:agent-7.example,URI:spiffe://example/agent-7")
                                  .get());
  write(client_key(), client_key_pair.get());
  write(other_ca(), make("other CA", other_key.get(), nullptr, other_key.get(), "").get());
}

TestCertificates::~TestCertificates() {
  std::error_code ignored;
  std::filesystem::remove_all(folder_, ignored);
}

}  // namespace monitor::grpc
