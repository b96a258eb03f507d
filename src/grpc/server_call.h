// The server's view of a call, and the table of methods that maps calls to handlers.
//
// Thread contract: the loop that owns the connection. Lifetimes: the session owns the ServerCall and the handler made
// by the method's factory. The handler may keep a reference to its ServerCall, which outlives it. After finish() or
// on_cancelled() the handler is not called again; it is destroyed soon after, never from within a method of ServerCall.
// The handler's destructor must notify anyone else who holds a reference to the call, such as a pending confirmation.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/net/peer_certificate.h"
#include "grpc/types.h"

namespace monitor::grpc {

class ServerCall {
 public:
  virtual ~ServerCall() = default;
  virtual std::string_view path() const = 0;
  // The client's metadata, without the headers of HTTP and gRPC.
  virtual const Metadata& metadata() const = 0;
  // "ipv4:10.0.0.7:40312", "ipv6:[::1]:40312".
  virtual const std::string& peer() const = 0;
  // The client's certificate, verified against the server's client CA; valid as long as the call. nullptr without TLS,
  // or if the client presented none.
  virtual const PeerCertificate* peer_certificate() const = 0;
  // The client's deadline, monotonic; INT64_MAX without one.
  virtual int64_t deadline_ns() const = 0;

  // Sends the initial metadata; only once, and before the first write(), which otherwise sends empty metadata. Here and
  // in finish(), metadata that check_metadata() (header_encoding.h) rejects is dropped as a whole.
  virtual void send_headers(const Metadata& headers) = 0;
  // Queues a message; ignored after finish() and after the end of the call. Limited only by
  // ServerLimits::max_unsent_bytes, which ends the connection; check unsent_bytes().
  virtual void write(std::string_view message) = 0;
  // Sends the queued messages, then the status. Only the first call counts.
  virtual void finish(const CallStatus& status, const Metadata& trailers) = 0;
  void finish(const CallStatus& status) { finish(status, {}); }
  virtual size_t unsent_bytes() const = 0;
  // With manual flow control: lets the client send this much more. Counts message bytes, as passed to on_message().
  virtual void consumed(size_t bytes) = 0;
};

class ServerCallHandler {
 public:
  virtual ~ServerCallHandler() = default;
  // Valid until the callback returns.
  virtual void on_message(std::string_view message) = 0;
  // The client has sent all its messages.
  virtual void on_half_close() {}
  // The client cancelled, its deadline passed, or its connection was lost. Nothing can be sent.
  virtual void on_cancelled() {}
  // The connection is to end (its age, or the server's shutdown): the client opens no new calls on it. The handler may
  // finish the call when that costs nothing; later the call is cancelled.
  virtual void on_draining() {}
  // unsent_bytes() has fallen to the low-water mark or below.
  virtual void on_writable() {}
};

struct MethodOptions {
  // As in CallOptions (client_call.h).
  bool manual_flow_control = false;
  // 0: the connection's limit (ServerLimits::max_message_bytes).
  size_t max_message_bytes = 0;
  // Limit for a call's first message; 0: as for all others.
  size_t max_first_message_bytes = 0;
  // The client sends one message and ends its stream, both within ServerLimits::message_timeout_ns. Set by add_unary().
  bool single_request = false;
  size_t low_water_bytes = size_t{16} * 1024;
};

// Creates the handler of a new call. It may write to the call. To reject the call, it calls finish() and returns
// nullptr.
using CallFactory = std::function<std::unique_ptr<ServerCallHandler>(ServerCall& call)>;
using UnaryMethod = std::function<Result<std::string>(ServerCall& call, std::string_view request)>;

// Maps paths ("/package.Service/Method") to handlers. Filled before the first call, then read-only; all sessions of a
// loop may share it.
class MethodTable {
 public:
  struct Method {
    CallFactory factory;
    MethodOptions options;
  };

  void add_method(std::string path, CallFactory factory, const MethodOptions& options = {});
  // Adds a method with one request and one response, answered synchronously.
  void add_unary(std::string path, UnaryMethod method, const MethodOptions& options = {});
  const Method* find(std::string_view path) const;
  // The services of all paths ("package.Service"), sorted.
  std::vector<std::string> services() const;

 private:
  struct Hash {
    using is_transparent = void;
    size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
  };
  std::unordered_map<std::string, Method, Hash, std::equal_to<>> methods_;
};

}  // namespace monitor::grpc
