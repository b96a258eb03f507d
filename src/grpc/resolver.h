// Names to addresses, without ever blocking a loop.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/event_loop.h"
#include "base/result.h"

namespace monitor::grpc {

// A socket address of IPv4 or IPv6.
struct Address {
  sockaddr_storage storage{};
  socklen_t length = 0;

  int family() const { return storage.ss_family; }
  uint16_t port() const;
  // gRPC's form: "ipv4:10.0.0.7:50051", "ipv6:[::1]:50051".
  std::string to_string() const;
};

// "10.0.0.7", "::1" or "[::1]".
Result<Address> parse_address(const std::string& host, uint16_t port);

struct Target {
  std::string host;
  uint16_t port = 0;
};
// Port 0 is for those who listen: it picks one.
enum class PortZero { kRefused, kAllowed };
// "host:port", "[v6]:port"; a missing port is `default_port`.
Result<Target> parse_target(const std::string& text, uint16_t default_port, PortZero zero = PortZero::kRefused);

class Resolver {
 public:
  using Callback = std::function<void(Result<std::vector<Address>>)>;
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
std::vector<Address> interleave_families(std::vector<Address> addresses);

}  // namespace monitor::grpc
