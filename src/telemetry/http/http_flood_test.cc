// The server under floods of unfinished requests, with real sockets and the loop on its own thread.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "telemetry/http/http_server.h"

namespace monitor::telemetry {
namespace {

using ::testing::StartsWith;
using Seconds = std::chrono::duration<double>;

constexpr size_t kFlood = 600;
constexpr int kCloseWait = 8;  // the state CLOSE_WAIT in /proc/net/tcp

// Number of sockets on the server's port in CLOSE_WAIT: the client has closed, but the server has not.
size_t close_waits(uint16_t port) {
  std::ifstream file("/proc/net/tcp");
  std::string line;
  size_t found = 0;
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    std::string number, local, remote, state;
    fields >> number >> local >> remote >> state;
    const size_t colon = local.find(':');
    if (colon == std::string::npos || local.size() < colon + 5) continue;
    const bool ours = std::stoul(local.substr(colon + 1), nullptr, 16) == port;
    if (ours && std::stoi(state, nullptr, 16) == kCloseWait) ++found;
  }
  return found;
}

class HttpFlood : public ::testing::Test {
 protected:
  HttpFlood() {
    rlimit files{};
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    start({});
  }
  ~HttpFlood() override { stop(); }

  void start(const HttpOptions& options) {
    stop();
    auto started = HttpServer::start(loop_, options,
                                     [this, pages = own_pages(registry_, [] { return ""; })](std::string_view path) {
                                       return path == "/large" ? HttpReply{.body = large_} : pages(path);
                                     });
    ASSERT_TRUE(started.ok());
    server_ = std::move(*started);
    thread_ = std::thread([this] { loop_.run(); });
  }
  void stop() {
    for (const int fd : flood_) close(fd);
    flood_.clear();
    if (!thread_.joinable()) return;
    loop_.stop();
    thread_.join();
    server_.reset();
  }

  int connect_from(const char* address = "127.0.0.1") {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{.tv_sec = 5, .tv_usec = 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    sockaddr_in own{};
    own.sin_family = AF_INET;
    inet_pton(AF_INET, address, &own.sin_addr);
    EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&own), sizeof own), 0);
    sockaddr_in server{};
    server.sin_family = AF_INET;
    server.sin_port = htons(server_->port());
    server.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&server), sizeof server), 0);
    return fd;
  }
  void flood(std::string_view bytes, const char* address = "127.0.0.1", size_t count = kFlood) {
    for (size_t i = 0; i < count; ++i) {
      flood_.push_back(connect_from(address));
      (void)send(flood_.back(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
  }
  // Sends a request and returns the reply, with a time limit.
  std::string get(const char* path, const char* address = "127.0.0.1") {
    const auto begin = std::chrono::steady_clock::now();
    const int fd = connect_from(address);
    const std::string request = std::string("GET ") + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";
    (void)send(fd, request.data(), request.size(), MSG_NOSIGNAL);
    std::string all;
    std::array<char, 4096> buffer{};
    ssize_t size = 0;
    while ((size = read(fd, buffer.data(), buffer.size())) > 0) all.append(buffer.data(), static_cast<size_t>(size));
    close(fd);
    took_ = Seconds(std::chrono::steady_clock::now() - begin).count();
    return all;
  }
  void expect_health(const char* when) {
    for (const char* const path : {"/healthz", "/readyz", "/metrics"}) {
      EXPECT_THAT(get(path), StartsWith("HTTP/1.1 200")) << path << ": " << when;
      EXPECT_LT(took_, 1.0) << path << ": " << when;
    }
  }
  void expect_nothing_left() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (close_waits(server_->port()) > 0 && std::chrono::steady_clock::now() < end) std::this_thread::yield();
    EXPECT_EQ(close_waits(server_->port()), 0U);
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Registry registry_;
  std::string large_;
  std::unique_ptr<HttpServer> server_;
  std::thread thread_;
  std::vector<int> flood_;
  double took_ = 0;
};

TEST_F(HttpFlood, PendingHalfRequestsDoNotBlockHealthChecks) {
  flood("GET /healthz HTTP/1.1\r\nHost: h\r\n");
  expect_health("under 600 half requests");
  stop();
}

TEST_F(HttpFlood, SlowHalfRequestsDoNotBlockHealthChecks) {
  flood("");
  for (const char byte : std::string("GET /h")) {
    for (const int fd : flood_) (void)send(fd, &byte, 1, MSG_NOSIGNAL);
    expect_health("between bytes");
  }
}

TEST_F(HttpFlood, RecoversFromHalfRequestsThatAreClosed) {
  for (int round = 0; round < 2; ++round) {
    flood("GET /healthz HTTP/1.1\r\n");
    for (const int fd : flood_) close(fd);
    flood_.clear();
    expect_health("after 600 were closed");
    expect_nothing_left();
  }
}

TEST_F(HttpFlood, RecoversFromHalfRequestsThatAreReset) {
  flood("GET /healthz HTTP/1.1\r\n");
  const linger none{.l_onoff = 1, .l_linger = 0};
  for (const int fd : flood_) {
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    close(fd);
  }
  flood_.clear();
  expect_health("after 600 were reset");
  expect_nothing_left();
}

TEST_F(HttpFlood, RecoversFromHalfRequestsThatAreHalfClosed) {
  flood("GET /healthz HTTP/1.1\r\n");
  for (const int fd : flood_) shutdown(fd, SHUT_WR);
  expect_health("after 600 were half closed");
  expect_nothing_left();
}

TEST_F(HttpFlood, UnreadRepliesDoNotBlockHealthChecks) {
  constexpr size_t kMoreThanSocketsHold = size_t{6} << 20;
  stop();
  large_.assign(kMoreThanSocketsHold, 'x');
  start({.max_connections = 20, .max_connections_per_address = 16});
  flood("GET /large HTTP/1.1\r\nHost: h\r\n\r\n", "127.0.0.1", 16);
  const auto begin = std::chrono::steady_clock::now();
  // A reply without progress is spared for a moment.
  std::string reply;
  while (!reply.starts_with("HTTP/1.1 200") && std::chrono::steady_clock::now() - begin < std::chrono::seconds(5)) {
    reply = get("/healthz");
  }
  EXPECT_THAT(reply, StartsWith("HTTP/1.1 200"));
  EXPECT_LT(Seconds(std::chrono::steady_clock::now() - begin).count(), 1.0);
}

TEST_F(HttpFlood, ClosesANewConnectionThatSendsNoRequest) {
  start({.head_ns = 50 * kNanosPerMilli});
  const int fd = connect_from();
  (void)send(fd, "GET /", 5, MSG_NOSIGNAL);
  std::array<char, 16> buffer{};
  EXPECT_EQ(read(fd, buffer.data(), buffer.size()), 0) << "closed by the server";
  close(fd);
}

TEST_F(HttpFlood, EveryAddressHasItsShare) {
  start({.max_connections = 20, .max_connections_per_address = 10});
  const int other = connect_from("127.0.0.3");
  flood("GET /healthz HTTP/1.1\r\n", "127.0.0.2", 200);
  (void)send(other, "GET /healthz HTTP/1.0\r\n\r\n", 25, MSG_NOSIGNAL);
  std::array<char, 64> buffer{};
  EXPECT_GT(read(other, buffer.data(), buffer.size()), 0)
      << "an unfinished request of another address must not be closed";
  close(other);
  EXPECT_THAT(get("/healthz", "127.0.0.2"), StartsWith("HTTP/1.1 200"))
      << "the flooding address itself must be served as well";
}

TEST_F(HttpFlood, RejectsTwoHostsAndATargetThatNamesAnotherHost) {
  for (const char* const request : {"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\nConnection: close\r\n\r\n",
                                    "GET /healthz HTTP/1.1\r\nHost: a\r\nhOST: b\r\nConnection: close\r\n\r\n",
                                    "GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",
                                    "GET http://b/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"}) {
    const int fd = connect_from();
    (void)send(fd, request, std::string_view(request).size(), MSG_NOSIGNAL);
    std::array<char, 512> buffer{};
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    EXPECT_THAT(std::string(buffer.data(), size > 0 ? static_cast<size_t>(size) : 0), StartsWith("HTTP/1.1 400"))
        << request;
    close(fd);
  }
  EXPECT_THAT(get("http://H:80/healthz"), StartsWith("HTTP/1.1 200"));
}

}  // namespace
}  // namespace monitor::telemetry
