#include "base/result.h"

#include <array>
#include <cerrno>
#include <cstring>

namespace monitor {

std::string code_name(Code code) {
  static constexpr std::array<const char*, 17> kNames = {
      "OK",        "CANCELLED",       "UNKNOWN",           "INVALID_ARGUMENT",   "DEADLINE_EXCEEDED",
      "NOT_FOUND", "ALREADY_EXISTS",  "PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION",
      "ABORTED",   "OUT_OF_RANGE",    "UNIMPLEMENTED",     "INTERNAL",           "UNAVAILABLE",
      "DATA_LOSS", "UNAUTHENTICATED",
  };
  const auto number = static_cast<size_t>(code);
  return number < kNames.size() ? kNames[number] : "CODE_" + std::to_string(static_cast<int>(code));
}

std::string Error::to_string() const { return code_name(code_) + ": " + message_; }

namespace {

Code code_of_errno(int error_number) {
  switch (error_number) {
    case ENOENT:
    case ENODEV:
    case ENXIO:
      return Code::kNotFound;
    case EEXIST:
      return Code::kAlreadyExists;
    case EACCES:
    case EPERM:
    case EROFS:
      return Code::kPermissionDenied;
    case ENOSPC:
    case EDQUOT:
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EFBIG:
      return Code::kResourceExhausted;
    case EINVAL:
    case ENAMETOOLONG:
      return Code::kInvalidArgument;
    case ENOTDIR:
    case EISDIR:
    case ENOTEMPTY:
    case ELOOP:
      return Code::kFailedPrecondition;
    case ETIMEDOUT:
      return Code::kDeadlineExceeded;
    case EIO:
      return Code::kDataLoss;
    case ECONNREFUSED:
    case ECONNRESET:
    case EHOSTUNREACH:
    case ENETUNREACH:
    case EPIPE:
    case EAGAIN:
    case EADDRINUSE:
      return Code::kUnavailable;
    default:
      return Code::kUnknown;
  }
}

}  // namespace

Error errno_error(int error_number, const std::string& what) {
  std::array<char, 128> buffer{};
  const char* text = strerror_r(error_number, buffer.data(), buffer.size());
  return Error(code_of_errno(error_number), what + ": " + text);
}

}  // namespace monitor
