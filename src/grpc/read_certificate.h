// Reads what a verified X.509 certificate says of its owner. Private to the TLS code.
#pragma once

#include <openssl/x509.h>

#include <string>

#include "base/net/peer_certificate.h"

namespace monitor::grpc {

PeerCertificate read_certificate(X509* certificate);
// The name of the CA that issued a CRL, printable (RFC 2253).
std::string issuer_text(const X509_CRL* crl);
// As in PeerCertificate::serial.
std::string serial_text(const ASN1_INTEGER* serial);

}  // namespace monitor::grpc
