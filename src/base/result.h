// Result<T>: a value or an Error. Every function of this project that can fail returns one.
//
// Codes are numbered as gRPC's status codes (https://grpc.github.io/grpc/core/md_doc_statuscodes.html), so that an
// error crosses the wire unchanged. A message says what failed, on which object, the value and the limit,
// and, if the caller cannot know it, what happens next. Values are immutable and thread-compatible.
#pragma once

#include <cassert>
#include <string>
#include <utility>
#include <variant>

namespace monitor {

enum class Code : int {
  kOk = 0,
  kCancelled = 1,
  kUnknown = 2,
  kInvalidArgument = 3,
  kDeadlineExceeded = 4,
  kNotFound = 5,
  kAlreadyExists = 6,
  kPermissionDenied = 7,
  kResourceExhausted = 8,
  kFailedPrecondition = 9,
  kAborted = 10,
  kOutOfRange = 11,
  kUnimplemented = 12,
  kInternal = 13,
  kUnavailable = 14,
  kDataLoss = 15,
  kUnauthenticated = 16,
};

// "UNAVAILABLE" for Code::kUnavailable; "CODE_99" for a number that gRPC does not define.
std::string code_name(Code code);

class [[nodiscard]] Error {
 public:
  Error(Code code, std::string message) : code_(code), message_(std::move(message)) {}

  Code code() const { return code_; }
  const std::string& message() const { return message_; }
  // "UNAVAILABLE: connection refused"
  std::string to_string() const;

  // Adds what the caller was doing: "reading /proc/stat: permission denied".
  Error with_context(const std::string& context) const { return Error(code_, context + ": " + message_); }

 private:
  Code code_;
  std::string message_;
};

// The error of a failed system call: maps errno to a code, and says "WHAT: strerror".
Error errno_error(int error_number, const std::string& what);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : data_(std::move(value)) {}      // NOLINT(google-explicit-constructor): return value;
  Result(Error error) : data_(std::move(error)) {}  // NOLINT(google-explicit-constructor): return error;

  bool ok() const { return std::holds_alternative<T>(data_); }
  explicit operator bool() const { return ok(); }

  const T& value() const& {
    assert(ok());
    return std::get<T>(data_);
  }
  T& value() & {
    assert(ok());
    return std::get<T>(data_);
  }
  T&& value() && {
    assert(ok());
    return std::get<T>(std::move(data_));
  }
  const T& operator*() const& { return value(); }
  T& operator*() & { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  const T* operator->() const { return &value(); }
  T* operator->() { return &value(); }

  const Error& error() const {
    assert(!ok());
    return std::get<Error>(data_);
  }

 private:
  std::variant<T, Error> data_;
};

template <>
class [[nodiscard]] Result<void> {
 public:
  Result() = default;
  Result(Error error) : data_(std::move(error)) {}  // NOLINT(google-explicit-constructor): return error;

  bool ok() const { return std::holds_alternative<std::monostate>(data_); }
  explicit operator bool() const { return ok(); }
  const Error& error() const {
    assert(!ok());
    return std::get<Error>(data_);
  }

 private:
  std::variant<std::monostate, Error> data_;
};

using Status = Result<void>;

}  // namespace monitor
