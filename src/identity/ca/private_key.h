// The inside of PrivateKey, for the .cc files of this folder.
#pragma once

#include "identity/ca/credentials.h"
#include "identity/ca/openssl.h"

namespace monitor::identity {

struct PrivateKey::Impl {
  Owned<EVP_PKEY> key;
};

}  // namespace monitor::identity
