// One call, as its server sees it, and the table of methods by which calls find their handlers.
//
// Thread contract: everything happens on the loop that owns the connection.
// Lifetimes: the session owns both the ServerCall and the handler that the method's factory made for it. The handler
// may keep a reference to its ServerCall: the call lives longer. After finish() or on_cancelled() the handler is not
// called again, and is destroyed soon after, never from within a method of ServerCall. Whoever else holds a reference
// to the call (a confirmation that arrives later) must be told by the handler's destructor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "grpc/types.h"

namespace monitor::grpc {

// What a client's certificate says, once it was verified against the server's client CA.
struct PeerCertificate {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
};

class ServerCall {
 public:
  virtual ~ServerCall() = default;
  virtual std::string_view path() const = 0;
  // What the client sent, without HTTP's and gRPC's own headers.
  virtual const Metadata& metadata() const = 0;
  // "ipv4:10.0.0.7:40312", "ipv6:[::1]:40312".
  virtual const std::string& peer() const = 0;
  // nullptr without TLS, or if the client showed no certificate.
  virtual const PeerCertificate* peer_certificate() const = 0;
  // When the client's deadline passes, on the monotonic clock; INT64_MAX without one.
  virtual int64_t deadline_ns() const = 0;

  // The first metadata; once, before the first write(), which sends it empty otherwise. Here and in finish(), metadata
  // that check_metadata() (wire.h) refuses is left out altogether.
  virtual void send_headers(const Metadata& headers) = 0;
  // Queues one message; ignored after finish() and after the call's end. Has no limit of its own up to the
  // connection's (ServerLimits::max_unsent_bytes), which ends the connection: look at unsent_bytes().
  virtual void write(std::string_view message) = 0;
  // The end: what was written is sent, then the status. Once; later ones are ignored.
  virtual void finish(const CallStatus& status, const Metadata& trailers) = 0;
  void finish(const CallStatus& status) { finish(status, {}); }
  virtual size_t unsent_bytes() const = 0;
  // With manual flow control: the client may send this much more. Counts bytes of messages, as on_message() gave them.
  virtual void consumed(size_t bytes) = 0;
};

class ServerCallHandler {
 public:
  virtual ~ServerCallHandler() = default;
  // Valid until the callback returns.
  virtual void on_message(std::string_view message) = 0;
  // The client has sent all its messages.
  virtual void on_half_close() {}
  // The client cancelled, its deadline passed, or its connection is lost: nothing can be sent any more.
  virtual void on_cancelled() {}
  // unsent_bytes() fell to the low-water mark or below, after it was above.
  virtual void on_writable() {}
};

struct MethodOptions {
  // As in CallOptions.
  bool manual_flow_control = false;
  // 0: the connection's limit (ServerLimits::max_message_bytes).
  size_t max_message_bytes = 0;
  // Of a call's first message; 0: as all others.
  size_t max_first_message_bytes = 0;
  // The client sends one message, and is done: both within ServerLimits::message_timeout_ns. Set by add_unary().
  bool single_request = false;
  size_t low_water_bytes = size_t{16} * 1024;
};

// Makes the handler of a new call. It may write to the call, and may refuse it: finish() it and return nullptr.
using CallFactory = std::function<std::unique_ptr<ServerCallHandler>(ServerCall& call)>;
using UnaryMethod = std::function<Result<std::string>(ServerCall& call, std::string_view request)>;

// Paths ("/package.Service/Method") and what answers them. Filled before the first call, then only read; may be shared
// by all sessions of a loop.
class MethodTable {
 public:
  struct Method {
    CallFactory factory;
    MethodOptions options;
  };

  void add_method(std::string path, CallFactory factory, const MethodOptions& options = {});
  // A method of one request and one response, answered at once.
  void add_unary(std::string path, UnaryMethod method, const MethodOptions& options = {});
  const Method* find(std::string_view path) const;
  // "package.Service" of all paths, sorted, each once.
  std::vector<std::string> services() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, Method, Hash, std::equal_to<>> methods_;
};

}  // namespace monitor::grpc
