// The messages of the Enrollment service (proto/monitor/v1/enrollment.proto) on the wire. Values; pure functions.
// Parsing fails with kInvalidArgument; the error never quotes the input. Unknown fields are ignored.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace monitor::identity {

constexpr const char* kEnrollPath = "/monitor.v1.Enrollment/Enroll";
constexpr const char* kRenewPath = "/monitor.v1.Enrollment/Renew";
constexpr size_t kMaxEnrollmentRequest = size_t{16} * 1024;
constexpr size_t kMaxEnrollmentReply = size_t{64} * 1024;

struct EnrollRequest {
  std::string token;  // a secret
  std::string agent_id;
  std::string certificate_request;  // PKCS#10, DER
};

struct RenewRequest {
  std::string certificate_request;
};

// The reply of both calls. Certificates are in DER.
struct EnrollReply {
  std::vector<std::string> chain;        // the agent's certificate, then those between it and the CA
  std::vector<std::string> authorities;  // the CAs that the server's certificates are signed by
};

std::string encode(const EnrollRequest& message);
std::string encode(const RenewRequest& message);
std::string encode(const EnrollReply& message);
Result<EnrollRequest> parse_enroll_request(std::string_view bytes);
Result<RenewRequest> parse_renew_request(std::string_view bytes);
Result<EnrollReply> parse_enroll_reply(std::string_view bytes);

}  // namespace monitor::identity
