#include "telemetry/http/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <functional>
#include <thread>
#include <vector>

namespace monitor::telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// Connects a client, which is blocking and runs on its own thread.
int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    ADD_FAILURE() << "no socket";
    return fd;
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  return fd;
}

std::string read_to_end(int fd) {
  std::string all;
  std::array<char, 4096> buffer{};
  ssize_t size = 0;
  while ((size = read(fd, buffer.data(), buffer.size())) > 0) all.append(buffer.data(), static_cast<size_t>(size));
  return all;
}

class HttpServerTest : public ::testing::Test {
 protected:
  void start(const HttpOptions& options = {}) {
    auto started = HttpServer::start(loop_, options, own_pages(registry_, [this] { return trouble_; }));
    ASSERT_TRUE(started.ok()) << started.error().to_string();
    server_ = std::move(*started);
  }
  // Runs the loop until the client has finished.
  void with_client(const std::function<void()>& client) {
    std::thread thread([&] {
      client();
      loop_.stop();
    });
    loop_.run();
    thread.join();
  }
  std::string exchange(const std::string& request) {
    std::string answer;
    with_client([&] {
      const int fd = connect_to(server_->port());
      (void)send(fd, request.data(), request.size(),
                 MSG_NOSIGNAL);  // the server may reject the request before it is complete
      answer = read_to_end(fd);
      close(fd);
    });
    return answer;
  }
  std::string get(const std::string& path) {
    return exchange("GET " + path + " HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  }

  SystemClock clock_;
  EventLoop loop_{clock_};
  Registry registry_;
  std::string trouble_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesItsPages) {
  start();
  registry_.counter("c_total", "C.").add(5);
  EXPECT_THAT(get("/metrics"), HasSubstr("c_total 5\n"));
  EXPECT_THAT(get("/metrics?x=1"), HasSubstr("text/plain; version=0.0.4"));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(get("/readyz"), StartsWith("HTTP/1.1 200"));
  trouble_ = "disk full";
  const std::string answer = get("/readyz");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  EXPECT_THAT(answer, HasSubstr("not ready: disk full"));
  EXPECT_THAT(get("/other"), StartsWith("HTTP/1.1 404"));
}

TEST_F(HttpServerTest, RejectsOtherMethodsGarbageAndLargeHeaders) {
  start();
  EXPECT_THAT(exchange("POST /metrics HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
              StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(exchange("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), ::testing::Not(HasSubstr(" 200 ")));
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(100'000, 'x') + "\r\n\r\n"),
              ::testing::Not(HasSubstr(" 200 ")));
  EXPECT_THAT(get("/healthz"), StartsWith("HTTP/1.1 200")) << "the server must continue";
}

TEST_F(HttpServerTest, ClosesAConnectionThatTakesTooLong) {
  start({.max_connection_ns = 20 * kNanosPerMilli});
  with_client([&] {
    const int fd = connect_to(server_->port());
    EXPECT_EQ(send(fd, "GET", 3, MSG_NOSIGNAL), 3);
    EXPECT_EQ(read_to_end(fd), "");
    close(fd);
  });
}

TEST_F(HttpServerTest, NamesAPortInUse) {
  start();
  const auto second = HttpServer::start(loop_, {.port = server_->port()}, own_pages(registry_, [] { return ""; }));
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code(), Code::kUnavailable);
  EXPECT_THAT(second.error().message(), HasSubstr(std::to_string(server_->port())));
  EXPECT_THAT(second.error().message(), HasSubstr("--http"));
}

TEST(HttpAddress, ParsesEveryForm) {
  EXPECT_EQ(parse_http_address("10.0.0.1:80")->address, "10.0.0.1");
  EXPECT_EQ(parse_http_address("[::1]:80")->address, "::1");
  EXPECT_EQ(parse_http_address(":9464")->address, "127.0.0.1");
  EXPECT_EQ(parse_http_address("localhost:0")->port, 0);
  EXPECT_EQ(parse_http_address("9464")->port, 9464);
  for (const char* bad : {"", "x", "1.2.3:4", "::1:80", "127.0.0.1:70000", "127.0.0.1:-1", "127.0.0.1:"}) {
    EXPECT_FALSE(parse_http_address(bad).ok()) << bad;
  }
}

}  // namespace
}  // namespace monitor::telemetry
