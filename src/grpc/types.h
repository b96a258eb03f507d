// Values shared by the gRPC library: a call's status and its metadata. Thread-compatible.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace monitor::grpc {

// How a call ended. The message is UTF-8 text for people; on the wire it is percent-encoded.
struct CallStatus {
  Code code = Code::kOk;
  std::string message;

  bool ok() const { return code == Code::kOk; }
  Error to_error() const { return Error(code, message); }
  bool operator==(const CallStatus&) const = default;
};

// Pairs in wire order. Keys are lower case ([0-9a-z_.-], not starting with "grpc-"). Values are printable ASCII; those
// of keys that end in "-bin" are arbitrary bytes (base64 on the wire, decoded here).
using Metadata = std::vector<std::pair<std::string, std::string>>;

// The first value of `key`, or nullptr.
const std::string* find_metadata(const Metadata& metadata, const std::string& key);

inline constexpr size_t kDefaultMaxMessageBytes = size_t{4} * 1024 * 1024;

}  // namespace monitor::grpc
