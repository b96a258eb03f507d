#include "identity/enrollment/messages.h"

#include "base/protowire.h"

namespace monitor::identity {

namespace {

using protowire::Field;
using protowire::WireType;

constexpr uint32_t kTokenField = 1;
constexpr uint32_t kAgentIdField = 2;
constexpr uint32_t kEnrollRequestField = 3;
constexpr uint32_t kRenewRequestField = 1;
constexpr uint32_t kChainField = 1;
constexpr uint32_t kAuthoritiesField = 2;
constexpr size_t kMostCertificates = 8;

// Calls `take` with each field of bytes.
template <typename Take>
Status read(std::string_view bytes, const char* what, const Take& take) {
  protowire::Reader reader(bytes);
  while (const auto field = reader.next()) {
    if (field->type == WireType::kBytes) take(*field);
  }
  if (reader.failed()) return Error(Code::kInvalidArgument, std::string("not a message of type ") + what);
  return {};
}

}  // namespace

std::string encode(const EnrollRequest& message) {
  std::string out;
  protowire::put_bytes(out, kTokenField, message.token);
  protowire::put_bytes(out, kAgentIdField, message.agent_id);
  protowire::put_bytes(out, kEnrollRequestField, message.certificate_request);
  return out;
}

std::string encode(const RenewRequest& message) {
  std::string out;
  protowire::put_bytes(out, kRenewRequestField, message.certificate_request);
  return out;
}

std::string encode(const EnrollReply& message) {
  std::string out;
  for (const std::string& one : message.chain) protowire::put_message(out, kChainField, one);
  for (const std::string& one : message.authorities) protowire::put_message(out, kAuthoritiesField, one);
  return out;
}

Result<EnrollRequest> parse_enroll_request(std::string_view bytes) {
  EnrollRequest message;
  const Status good = read(bytes, "EnrollRequest", [&](const Field& field) {
    if (field.number == kTokenField) message.token = field.bytes;
    if (field.number == kAgentIdField) message.agent_id = field.bytes;
    if (field.number == kEnrollRequestField) message.certificate_request = field.bytes;
  });
  if (!good) return good.error();
  return message;
}

Result<RenewRequest> parse_renew_request(std::string_view bytes) {
  RenewRequest message;
  const Status good = read(bytes, "RenewRequest", [&](const Field& field) {
    if (field.number == kRenewRequestField) message.certificate_request = field.bytes;
  });
  if (!good) return good.error();
  return message;
}

Result<EnrollReply> parse_enroll_reply(std::string_view bytes) {
  EnrollReply message;
  bool too_many = false;
  const auto add = [&](std::vector<std::string>& to, std::string_view certificate) {
    too_many = too_many || to.size() == kMostCertificates;
    if (!too_many) to.emplace_back(certificate);
  };
  const Status good = read(bytes, "EnrollReply", [&](const Field& field) {
    if (field.number == kChainField) add(message.chain, field.bytes);
    if (field.number == kAuthoritiesField) add(message.authorities, field.bytes);
  });
  if (!good) return good.error();
  if (too_many) return Error(Code::kInvalidArgument, "EnrollReply: more than 8 certificates");
  return message;
}

}  // namespace monitor::identity
