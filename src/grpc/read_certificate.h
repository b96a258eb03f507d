// Reads what a verified X.509 certificate says of its owner. Private to the TLS code.
#pragma once

#include <openssl/x509.h>

#include "base/net/peer_certificate.h"

namespace monitor::grpc {

PeerCertificate read_certificate(X509* certificate);

}  // namespace monitor::grpc
