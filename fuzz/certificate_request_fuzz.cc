// Certificate requests of agents and certificates of servers: any bytes are accepted or rejected, and what is accepted
// is the same when it is read again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "identity/ca/credentials.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor::identity;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto request = check_request(bytes)) require(request->key_hash.size() == 64);
  if (const auto facts = read_certificate(bytes)) {
    require(facts->key_hash.size() == 64);
    (void)is_signed_by(bytes, bytes);
    const auto again = certificates_of(certificate_pem(bytes));
    require(again && again->size() == 1);
  }
  if (const auto found = certificates_of(bytes)) {
    for (const auto& der : *found) (void)read_certificate(der);
  }
  (void)PrivateKey::from_pem(bytes);
  return 0;
}
