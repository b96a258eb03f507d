#include "doctor/certificate.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <ctime>
#include <memory>

#include "base/clock.h"
#include "doctor/x509.h"

namespace monitor::doctor {

namespace {

constexpr int kMostCertificates = 100;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;

struct FreeList {
  void operator()(X509_CRL* list) const { X509_CRL_free(list); }
};

struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;

Bio bio_of(std::string_view text) {
  constexpr size_t kMost = size_t{16} << 20;
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(std::min(text.size(), kMost))));
}

std::string name_text(const X509_NAME* name) {
  const Bio out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return size > 0 ? std::string(data, static_cast<size_t>(size)) : std::string();
}

int64_t nanos(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  const int64_t seconds = timegm(&parts);
  constexpr int64_t kMost = INT64_MAX / kNanosPerSecond;  // the year 2262
  return std::clamp(seconds, int64_t{0}, kMost) * kNanosPerSecond;
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  const unsigned char* const bytes = ASN1_STRING_get0_data(address);
  const int length = ASN1_STRING_length(address);
  if (length == 4) {
    return std::to_string(bytes[0]) + "." + std::to_string(bytes[1]) + "." + std::to_string(bytes[2]) + "." +
           std::to_string(bytes[3]);
  }
  const std::unique_ptr<char, void (*)(char*)> text(i2s_ASN1_OCTET_STRING(nullptr, address),
                                                    [](char* p) { OPENSSL_free(p); });
  return text ? text.get() : "";
}

void add_names(X509* certificate, std::vector<std::string>& names) {
  auto* const found =
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  if (found == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(found); ++i) {
    const GENERAL_NAME* const one = sk_GENERAL_NAME_value(found, i);
    if (one->type == GEN_DNS || one->type == GEN_URI) {
      const ASN1_IA5STRING* const text = one->type == GEN_DNS ? one->d.dNSName : one->d.uniformResourceIdentifier;
      names.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                         static_cast<size_t>(ASN1_STRING_length(text)));
    } else if (one->type == GEN_IPADD) {
      names.push_back(address_text(one->d.iPAddress));
    }
  }
  GENERAL_NAMES_free(found);
}

using doctor::facts_of;
CertificateFacts facts_of(X509_CRL* list) {
  CertificateFacts facts;
  facts.subject = name_text(X509_CRL_get_issuer(list));
  facts.issuer = facts.subject;
  facts.not_before_ns = nanos(X509_CRL_get0_lastUpdate(list));
  const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list);
  facts.not_after_ns = next == nullptr ? INT64_MAX : nanos(next);
  return facts;
}

// Never asks for a passphrase on the terminal.
int no_passphrase(char* /*buffer*/, int /*size*/, int /*writing*/, void* /*data*/) { return -1; }

// Reads objects of PEM until the end. `read` returns nullptr where there is none.
Result<std::vector<CertificateFacts>> parse_all(std::string_view pem, const char* what, auto read) {
  const Bio bio = bio_of(pem);
  std::vector<CertificateFacts> found;
  while (static_cast<int>(found.size()) < kMostCertificates) {
    const auto one = read(bio.get());
    if (!one) break;
    found.push_back(facts_of(one.get()));
  }
  const unsigned long last = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (static_cast<int>(found.size()) < kMostCertificates && !at_end) {
    return Error(Code::kInvalidArgument, fmt::format("a {} cannot be read: {}", what, openssl_reason()));
  }
  ERR_clear_error();
  if (found.empty()) return Error(Code::kInvalidArgument, fmt::format("no PEM {} in it", what));
  return found;
}

}  // namespace

std::string openssl_reason() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_peek_last_error();
  ERR_error_string_n(code, text.data(), text.size());
  const char* const reason = ERR_reason_error_string(code);
  ERR_clear_error();
  if (code == 0) return "unknown reason";
  return reason != nullptr ? reason : text.data();
}

CertificateFacts facts_of(X509* certificate) {
  CertificateFacts facts;
  facts.subject = name_text(X509_get_subject_name(certificate));
  facts.issuer = name_text(X509_get_issuer_name(certificate));
  facts.not_before_ns = nanos(X509_get0_notBefore(certificate));
  facts.not_after_ns = nanos(X509_get0_notAfter(certificate));
  facts.authority = X509_check_ca(certificate) > 0;
  add_names(certificate, facts.names);
  return facts;
}

Result<std::vector<CertificateFacts>> parse_certificates(std::string_view pem) {
  return parse_all(pem, "certificate",
                   [](BIO* bio) { return X509Pointer(PEM_read_bio_X509(bio, nullptr, no_passphrase, nullptr)); });
}

Result<std::vector<CertificateFacts>> parse_revocation_lists(std::string_view pem) {
  return parse_all(pem, "certificate revocation list", [](BIO* bio) {
    return std::unique_ptr<X509_CRL, FreeList>(PEM_read_bio_X509_CRL(bio, nullptr, no_passphrase, nullptr));
  });
}

Result<bool> key_matches(std::string_view certificate_pem, std::string_view key_pem) {
  const Bio certificate_bio = bio_of(certificate_pem);
  const X509Pointer certificate(PEM_read_bio_X509(certificate_bio.get(), nullptr, no_passphrase, nullptr));
  if (!certificate) return Error(Code::kInvalidArgument, "the certificate cannot be read: " + openssl_reason());
  const Bio key_bio = bio_of(key_pem);
  const Key key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, no_passphrase, nullptr));
  if (!key) return Error(Code::kInvalidArgument, "the private key cannot be read: " + openssl_reason());
  const bool matches = X509_check_private_key(certificate.get(), key.get()) == 1;
  ERR_clear_error();
  return matches;
}

}  // namespace monitor::doctor
