// Resolves host names without blocking the loop.
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
  // Calls back later, on the loop's thread, with at least one address or an error. There is no cancellation, so
  // callbacks must tolerate a late call.
  virtual void resolve(const std::string& host, uint16_t port, Callback callback) = 0;
};

// Calls getaddrinfo on a helper thread, which starts with the first name; numeric addresses do not need it. The
// destructor does not wait: the thread ends on its own, and its results are dropped. The loop must outlive the
// resolver.
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

// Alternates between IPv6 and IPv4 (RFC 8305, 4), keeping the resolver's order within each family.
std::vector<SocketAddress> interleave_families(std::vector<SocketAddress> addresses);

}  // namespace monitor::grpc
