#include "grpc/read_certificate.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "base/hex.h"

namespace monitor::grpc {

namespace {

struct Free {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(BIGNUM* number) const { BN_free(number); }
};

std::string asn1_text(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), static_cast<size_t>(ASN1_STRING_length(text))};
}

// As UTF-8, whatever the string's type; as it is if it cannot be converted.
std::string utf8_text(const ASN1_STRING* text) {
  unsigned char* bytes = nullptr;
  const int size = ASN1_STRING_to_UTF8(&bytes, text);
  if (size < 0) return asn1_text(text);
  std::string out(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
  OPENSSL_free(bytes);
  return out;
}

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<BIO, Free> bio(BIO_new(BIO_s_mem()));
  // RFC 2253 also escapes control characters, so the text is safe to print.
  if (bio == nullptr || X509_NAME_print_ex(bio.get(), name, 0, XN_FLAG_RFC2253) < 0) return "";
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<size_t>(std::max(size, 0L))};
}

int64_t unix_seconds(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<int64_t>(timegm(&parts)) : 0;
}

std::string fingerprint(const X509* certificate) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return "";
  return hex({reinterpret_cast<const char*>(digest), size});
}

void read_alternative_names(const X509* certificate, PeerCertificate& out) {
  const std::unique_ptr<GENERAL_NAMES, Free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  const int count = names == nullptr ? 0 : sk_GENERAL_NAME_num(names.get());
  for (int i = 0; i < count; ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type == GEN_DNS) out.dns_names.push_back(asn1_text(name->d.dNSName));
    if (name->type == GEN_URI) out.uris.push_back(asn1_text(name->d.uniformResourceIdentifier));
  }
}

}  // namespace

std::string serial_text(const ASN1_INTEGER* serial) {
  const std::unique_ptr<BIGNUM, Free> number(ASN1_INTEGER_to_BN(serial, nullptr));
  if (number == nullptr) return "";
  std::string bytes(std::max<size_t>(static_cast<size_t>(BN_num_bytes(number.get())), 1), '\0');
  BN_bn2bin(number.get(), reinterpret_cast<unsigned char*>(bytes.data()));
  return (BN_is_negative(number.get()) != 0 ? "-" : "") + hex(bytes);
}

PeerCertificate read_certificate(X509* certificate) {
  PeerCertificate out;
  const X509_NAME* subject = X509_get_subject_name(certificate);
  int index = -1;
  while ((index = X509_NAME_get_index_by_NID(subject, NID_commonName, index)) >= 0) {
    out.common_names.push_back(utf8_text(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, index))));
  }
  read_alternative_names(certificate, out);
  out.subject = name_text(subject);
  out.issuer = name_text(X509_get_issuer_name(certificate));
  out.serial = serial_text(X509_get0_serialNumber(certificate));
  out.sha256 = fingerprint(certificate);
  out.not_before = unix_seconds(X509_get0_notBefore(certificate));
  out.not_after = unix_seconds(X509_get0_notAfter(certificate));
  out.ca = X509_check_ca(certificate) > 0;
  return out;
}

std::vector<CertificateNumber> read_authorities(const STACK_OF(X509) * chain) {
  std::vector<CertificateNumber> found;
  const int count = chain == nullptr ? 0 : sk_X509_num(chain);
  for (int i = 1; i < count; ++i) {
    const X509* const above = sk_X509_value(chain, i);
    found.push_back({name_text(X509_get_issuer_name(above)), serial_text(X509_get0_serialNumber(above))});
  }
  return found;
}

std::string issuer_text(const X509_CRL* crl) { return name_text(X509_CRL_get_issuer(crl)); }

}  // namespace monitor::grpc
