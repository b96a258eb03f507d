#include "grpc/resolver.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>

#include <condition_variable>
#include <cstring>
#include <deque>
#include <mutex>
#include <thread>
#include <utility>

#include "base/host_name.h"
#include "base/text.h"

namespace monitor::grpc {

std::vector<SocketAddress> interleave_families(std::vector<SocketAddress> addresses) {
  std::deque<SocketAddress> v6;
  std::deque<SocketAddress> v4;
  for (const SocketAddress& address : addresses) (address.family() == AF_INET6 ? v6 : v4).push_back(address);
  std::vector<SocketAddress> out;
  bool take_v6 = !addresses.empty() && addresses.front().family() == AF_INET6;
  while (!v6.empty() || !v4.empty()) {
    auto& queue = (take_v6 && !v6.empty()) || v4.empty() ? v6 : v4;
    out.push_back(queue.front());
    queue.pop_front();
    take_v6 = !take_v6;
  }
  return out;
}

namespace {

Result<std::vector<SocketAddress>> look_up(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int rc = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (rc != 0) return Error(Code::kUnavailable, "resolving " + json_quote(host) + ": " + gai_strerror(rc));
  std::vector<SocketAddress> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress address;
    if (entry->ai_family == AF_INET) {
      std::memcpy(&address.storage, entry->ai_addr, sizeof(sockaddr_in));
      reinterpret_cast<sockaddr_in*>(&address.storage)->sin_port = htons(port);
    } else if (entry->ai_family == AF_INET6) {
      std::memcpy(&address.storage, entry->ai_addr, sizeof(sockaddr_in6));
      reinterpret_cast<sockaddr_in6*>(&address.storage)->sin6_port = htons(port);
    } else {
      continue;
    }
    address.length = entry->ai_addrlen;
    addresses.push_back(address);
  }
  freeaddrinfo(list);
  if (addresses.empty()) return Error(Code::kUnavailable, "resolving " + json_quote(host) + ": no address");
  return interleave_families(std::move(addresses));
}

}  // namespace

// Shared by the resolver and its thread, which may be in getaddrinfo when the resolver is destroyed.
struct ThreadResolver::State {
  struct Request {
    std::string host;
    uint16_t port = 0;
    Callback callback;
  };

  std::mutex mutex;
  std::condition_variable changed;
  // Guarded by mutex. `loop` is cleared by the resolver's destructor.
  EventLoop* loop = nullptr;
  std::deque<Request> requests;
  bool thread_runs = false;

  static void run(const std::shared_ptr<State>& state);
};

void ThreadResolver::State::run(const std::shared_ptr<State>& state) {
  while (true) {
    Request request;
    {
      std::unique_lock lock(state->mutex);
      state->changed.wait(lock, [&] { return state->loop == nullptr || !state->requests.empty(); });
      if (state->loop == nullptr) return;
      request = std::move(state->requests.front());
      state->requests.pop_front();
    }
    auto result = std::make_shared<Result<std::vector<SocketAddress>>>(look_up(request.host, request.port));
    const std::lock_guard lock(state->mutex);
    if (state->loop == nullptr) return;
    state->loop->post([callback = std::move(request.callback), result] { callback(std::move(*result)); });
  }
}

ThreadResolver::ThreadResolver(EventLoop& loop) : loop_(loop), state_(std::make_shared<State>()) {
  state_->loop = &loop;
}

ThreadResolver::~ThreadResolver() {
  const std::lock_guard lock(state_->mutex);
  state_->loop = nullptr;
  state_->requests.clear();
  state_->changed.notify_all();
}

void ThreadResolver::resolve(const std::string& host, uint16_t port, Callback callback) {
  if (Result<SocketAddress> literal = parse_socket_address(host, port); literal.ok()) {
    loop_.call_after(
        0, [callback = std::move(callback), address = *literal] { callback(std::vector<SocketAddress>{address}); });
    return;
  }
  const std::lock_guard lock(state_->mutex);
  state_->requests.push_back({host, port, std::move(callback)});
  if (!state_->thread_runs) {
    state_->thread_runs = true;
    std::thread([state = state_] { State::run(state); }).detach();
  }
  state_->changed.notify_one();
}

}  // namespace monitor::grpc
