// Verifies a server by the public key of its CA alone: for a first contact, before any certificate is known. Internal
// to grpc.
#pragma once

#include <openssl/ssl.h>

#include <string>

#include "base/result.h"

namespace monitor::grpc {

// Accepts only servers that send a chain with a CA whose public key (SubjectPublicKeyInfo) has this SHA-256 (64
// lower-case hexadecimal digits), and whose certificate this CA has signed. Names, times and purposes are verified as
// ever. `pin` must outlive the context.
void verify_by_pin(SSL_CTX* context, const std::string& pin);

}  // namespace monitor::grpc
