// Names to addresses, without ever blocking a loop.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/net/address.h"
#include "base/result.h"

namespace monitor::grpc {

class Resolver {
 public:
  using Callback = std::function<void(Result<std::vector<SocketAddress>>)>;
  virtual ~Resolver() = default;
  // Calls back on the loop's thread, later, never from inside. At least one address, or an error. There is no
  // cancelling: a callback must bear to come late.
  virtual void resolve(const std::string& host, uint16_t port, Callback callback) = 0;
};

// getaddrinfo on a helper thread, which is started with the first name; literal addresses need none. Destroying it
// waits for no name: the thread is left to end alone, and its results are dropped. The loop must outlive it.
class ThreadResolver final : public Resolver {
 public:
  explicit ThreadResolver(EventLoop& loop);
  ~ThreadResolver() override;
  ThreadResolver(const ThreadResolver&) = delete;
  ThreadResolver& operator=(const ThreadResolver&) = delete;

  void resolve(const std::string& host, uint16_t port, Callback callback) override;

 private:
  struct State;
  EventLoop& loop_;
  std::shared_ptr<State> state_;
};

// IPv6 and IPv4 by turns (RFC 8305, 4), in the resolver's order otherwise.
std::vector<SocketAddress> interleave_families(std::vector<SocketAddress> addresses);

}  // namespace monitor::grpc
