// Reads what a verified X.509 certificate says of its owner. Private to the TLS code.
#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

#include "base/net/peer_certificate.h"

namespace monitor::grpc {

// Without `authorities`.
PeerCertificate read_certificate(X509* certificate);
// The certificates above the first one of a chain; none if `chain` is nullptr.
std::vector<CertificateNumber> read_authorities(const STACK_OF(X509) * chain);
// The name of the CA that issued a CRL, printable (RFC 2253).
std::string issuer_text(const X509_CRL* crl);
// As in PeerCertificate::serial.
std::string serial_text(const ASN1_INTEGER* serial);

}  // namespace monitor::grpc
