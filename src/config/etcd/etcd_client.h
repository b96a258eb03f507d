// EtcdClient: calls to etcd over one connection at a time. It authenticates when that is needed, and goes to the next
// endpoint when one fails; it repeats nothing else: when to try again is its users' decision.
//
// Requests and answers are etcd's messages in their wire form, so that this header stands alone.
//
// Thread contract: everything on the loop's thread. Timers and connector must outlive the client, and the client its
// users. Callbacks come from the loop, never from inside a method; they may start and drop calls, and must not destroy
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

// A call that runs. Dropping it ends it, without a callback; in its own callback too.
class EtcdCall {
 public:
  virtual ~EtcdCall() = default;
};

class EtcdClient {
 public:
  // The answer, or the status as an error: kUnavailable (no connection, no leader, given up), kDeadlineExceeded,
  // kUnauthenticated (a wrong user or password), kPermissionDenied, or what etcd says of the request.
  using Reply = std::function<void(Result<std::string> answer)>;
  using OnMessage = std::function<void(std::string_view message)>;
  using OnEnd = std::function<void(const Error& reason)>;  // an orderly end is an error as well: kUnavailable

  EtcdClient(Timers& timers, std::unique_ptr<EtcdConnector> connector, EtcdCredentials credentials);
  ~EtcdClient();
  EtcdClient(const EtcdClient&) = delete;
  EtcdClient& operator=(const EtcdClient&) = delete;

  // One request, one answer, within the time (authentication apart). A token that is refused is renewed once.
  std::unique_ptr<EtcdCall> call(std::string_view path, std::string request, int64_t timeout_ns, Reply reply);
  // Requests now, messages until the end. A token that is refused ends it, or is told by the service in its own way.
  std::unique_ptr<EtcdCall> stream(std::string_view path, std::vector<std::string> requests, OnMessage on_message,
                                   OnEnd on_end);

  // The connection is of no use: calls on it end with kUnavailable, the next call goes to the next endpoint.
  void give_up(const Error& reason);
  // The next call authenticates anew.
  void forget_token();

  // Where calls go at the moment: host:port.
  std::string endpoint() const;
  size_t endpoints() const;
  // When a message of etcd came last, on the monotonic clock; 0: never.
  int64_t last_heard_ns() const;
  uint64_t authentications() const;

 private:
  class Operation;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace monitor::config
