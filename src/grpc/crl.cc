#include "grpc/crl.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "grpc/read_certificate.h"

namespace monitor::grpc {

namespace {

struct Free {
  void operator()(BIO* bio) const { BIO_free(bio); }
  void operator()(X509_CRL* crl) const { X509_CRL_free(crl); }
};

}  // namespace

Result<RevokedEntries> read_crl(const std::string& file) {
  const std::unique_ptr<BIO, Free> bio(BIO_new_file(file.c_str(), "r"));
  if (bio == nullptr) {
    const int error = errno;
    ERR_clear_error();
    return errno_error(error, "CRL file " + file);
  }
  RevokedEntries entries;
  while (const std::unique_ptr<X509_CRL, Free> crl{PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr)}) {
    const std::string issuer = issuer_text(crl.get());
    STACK_OF(X509_REVOKED)* const revoked = X509_CRL_get_REVOKED(crl.get());
    for (int i = 0; i < sk_X509_REVOKED_num(revoked); ++i) {
      entries.insert({issuer, serial_text(X509_REVOKED_get0_serialNumber(sk_X509_REVOKED_value(revoked, i)))});
    }
  }
  ERR_clear_error();
  return entries;
}

void RevokedByCrl::set(RevokedEntries entries) {
  const std::lock_guard lock(mutex_);
  entries_ = std::move(entries);
}

bool RevokedByCrl::contains(const CertificateNumber& certificate,
                            const std::vector<CertificateNumber>& authorities) const {
  const std::lock_guard lock(mutex_);
  return entries_.contains(certificate) ||
         std::ranges::any_of(authorities, [this](const CertificateNumber& above) { return entries_.contains(above); });
}

}  // namespace monitor::grpc
