// OpenSSL's certificates. Internal to this folder, because it includes OpenSSL's headers.
#pragma once

#include <openssl/x509.h>

#include <memory>
#include <string>

#include "doctor/certificate.h"

namespace monitor::doctor {

struct FreeX509 {
  void operator()(X509* certificate) const { X509_free(certificate); }
};
using X509Pointer = std::unique_ptr<X509, FreeX509>;

CertificateFacts facts_of(X509* certificate);
// The reason of this thread's last error, which is cleared.
std::string openssl_reason();

}  // namespace monitor::doctor
