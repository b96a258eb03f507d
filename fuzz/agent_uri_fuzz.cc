// URI SANs: whatever a certificate contains, an accepted one is exactly the URI of a valid agent id.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/text.h"
#include "identity/peer.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  PeerCertificate certificate;
  certificate.uris = {std::string(text)};
  certificate.common_names = {std::string(text)};
  const auto uri = identity::parse_agent_uri(text);
  const auto id = identity::agent_id_of(certificate, {});
  require(uri.ok() == id.ok());
  if (uri) {
    require(valid_name(uri->agent_id) && *id == uri->agent_id);
    require(identity::check_trust_domain(uri->trust_domain).ok());
    require(identity::agent_uri(uri->trust_domain, uri->agent_id) == text);
  } else {
    require(valid_utf8(uri.error().message()) && uri.error().message().size() < 4096);
    require(id.error().code() == Code::kPermissionDenied && valid_utf8(id.error().message()));
  }
  const auto name = identity::agent_id_of(certificate, {.from = identity::IdentityFrom::kCn});
  require(name.ok() == valid_name(text));
  return 0;
}
