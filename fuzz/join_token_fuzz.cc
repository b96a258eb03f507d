// Join tokens, and the messages of the service Enrollment: what parses is valid, and is the same after another round.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/text.h"
#include "identity/ca/join_token.h"
#include "identity/enrollment/messages.h"

namespace {

void require(bool condition) {
  if (!condition) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace monitor;  // NOLINT(google-build-using-namespace)
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (const auto token = identity::parse_join_token(bytes)) {
    require(token->text() == trim(bytes));
    require(token->id.size() == 16 && token->secret.size() == 64 && token->pin.size() == 64);
  }
  if (const auto request = identity::parse_enroll_request(bytes)) {
    const auto again = identity::parse_enroll_request(identity::encode(*request));
    require(again && again->token == request->token && again->agent_id == request->agent_id &&
            again->certificate_request == request->certificate_request);
  }
  if (const auto request = identity::parse_renew_request(bytes)) {
    const auto again = identity::parse_renew_request(identity::encode(*request));
    require(again && again->certificate_request == request->certificate_request);
  }
  if (const auto reply = identity::parse_enroll_reply(bytes)) {
    const auto again = identity::parse_enroll_reply(identity::encode(*reply));
    require(again && again->chain == reply->chain && again->authorities == reply->authorities);
  }
  return 0;
}
