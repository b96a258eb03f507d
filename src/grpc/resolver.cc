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

uint16_t Address::port() const {
  if (family() == AF_INET6) return ntohs(reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_port);
  return ntohs(reinterpret_cast<const sockaddr_in*>(&storage)->sin_port);
}

std::string Address::to_string() const {
  char text[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6*>(&storage)->sin6_addr, text, sizeof text);
    return "ipv6:[" + std::string(text) + "]:" + std::to_string(port());
  }
  inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in*>(&storage)->sin_addr, text, sizeof text);
  return "ipv4:" + std::string(text) + ":" + std::to_string(port());
}

Result<Address> parse_address(const std::string& host, uint16_t port) {
  Address address;
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  const std::string bare = bracketed ? host.substr(1, host.size() - 2) : host;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (!bracketed && inet_pton(AF_INET, bare.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.length = sizeof(sockaddr_in);
    return address;
  }
  if (inet_pton(AF_INET6, bare.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.length = sizeof(sockaddr_in6);
    return address;
  }
  return Error(Code::kInvalidArgument, "not an IP address: " + json_quote(host));
}

Result<Target> parse_target(const std::string& text, uint16_t default_port, PortZero zero) {
  const Error bad(Code::kInvalidArgument, "got " + json_quote(text.substr(0, 300)) +
                                              ", expected HOST:PORT, as localhost:" + std::to_string(default_port) +
                                              " or [::1]:" + std::to_string(default_port));
  Target target{.host = text, .port = default_port};
  std::string port;
  bool has_port = false;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string::npos) return bad;
    target.host = text.substr(1, end - 1);
    has_port = end + 1 < text.size();
    if (has_port && text[end + 1] != ':') return bad;
    if (has_port) port = text.substr(end + 2);
  } else if (const size_t colon = text.rfind(':'); colon != std::string::npos && text.find(':') == colon) {
    target.host = text.substr(0, colon);
    port = text.substr(colon + 1);
    has_port = true;
  }
  if (!valid_host(target.host)) return bad;
  if (!has_port) return target;
  const std::optional<uint64_t> number = parse_u64(port);
  if (!number || *number > 65535 || (*number == 0 && zero == PortZero::kRefused)) return bad;
  target.port = static_cast<uint16_t>(*number);
  return target;
}

std::vector<Address> interleave_families(std::vector<Address> addresses) {
  std::deque<Address> v6;
  std::deque<Address> v4;
  for (const Address& address : addresses) (address.family() == AF_INET6 ? v6 : v4).push_back(address);
  std::vector<Address> out;
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

Result<std::vector<Address>> look_up(const std::string& host, uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int rc = getaddrinfo(host.c_str(), nullptr, &hints, &list);
  if (rc != 0) return Error(Code::kUnavailable, "resolving " + json_quote(host) + ": " + gai_strerror(rc));
  std::vector<Address> addresses;
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    Address address;
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

// Shared by the resolver and its thread, which may be inside getaddrinfo when the resolver goes.
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
    auto result = std::make_shared<Result<std::vector<Address>>>(look_up(request.host, request.port));
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
  if (Result<Address> literal = parse_address(host, port); literal.ok()) {
    loop_.call_after(0,
                     [callback = std::move(callback), address = *literal] { callback(std::vector<Address>{address}); });
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
