// EtcdClient: calls to etcd over one connection at a time. It authenticates when needed, and moves to the next endpoint
// when one fails. Retries are up to its users.
//
// Requests and answers are etcd's messages in wire form, so this header does not depend on the generated code.
//
// Thread contract: the loop's thread. Timers and connector must outlive the client, and the client must outlive its
// users. Callbacks come from the loop, never from within a method. They may start and drop calls, but must not destroy
// the client.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"
#include "config/etcd/connector.h"

namespace monitor::config {

struct EtcdCredentials {
  std::string user;  // empty: no authentication
  std::string password;
};

// A pending call. Destroying it cancels the call without a callback, even within its own callback.
class EtcdCall {
 public:
  virtual ~EtcdCall() = default;
};

class EtcdClient {
 public:
  // Receives the answer, or an error: kUnavailable (no connection, no leader, connection dropped), kDeadlineExceeded,
  // kUnauthenticated (wrong user or password), kPermissionDenied, or etcd's error for the request.
  using Reply = std::function<void(Result<std::string> answer)>;
  using OnMessage = std::function<void(std::string_view message)>;
  using OnEnd = std::function<void(const Error& reason)>;  // kUnavailable for an orderly end

  EtcdClient(Timers& timers, std::unique_ptr<EtcdConnector> connector, EtcdCredentials credentials);
  ~EtcdClient();
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  // Makes a unary call with a time limit, which does not include authentication. A rejected token is renewed once.
  std::unique_ptr<EtcdCall> call(std::string_view path, std::string request, int64_t timeout_ns, Reply reply);
  // Opens a stream: sends the requests, then delivers messages until the stream ends. A rejected token ends it, unless
  // the service reports the rejection in a message.
  std::unique_ptr<EtcdCall> stream(std::string_view path, std::vector<std::string> requests, OnMessage on_message,
                                   OnEnd on_end);

  // Drops the connection: its calls end with kUnavailable, and the next call uses the next endpoint.
  void give_up(const Error& reason);
  // Makes the next call authenticate again.
  void forget_token();

  // The current endpoint: host:port.
  std::string endpoint() const;
  size_t endpoints() const;
  // Monotonic time of the last message from etcd; 0: none yet.
  int64_t last_heard_ns() const;
  uint64_t authentications() const;

 private:
  class Operation;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
