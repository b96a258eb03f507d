// The API over a real socket on a free port, with fakes behind it. For tests of the API.
#pragma once

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <nlohmann/json.hpp>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/disk.h"
#include "base/testing/temporary_folder.h"
#include "ui/web/api.h"

namespace monitor::analysis::web {

class NoPlugins final : public config::PluginCatalog {
 public:
  std::vector<std::string> plugin_names() const override { return {}; }
  std::optional<config::Problem> check_plugin(const std::string& /*name*/,
                                              const std::string& /*config*/) const override {
    return std::nullopt;
  }
};

class MemoryStore final : public config::ConfigStore {
 public:
  MemoryStore(std::map<std::string, config::Stored>& all, std::atomic<int>& lists) : all_(all), lists_(lists) {}
  Result<std::optional<config::Stored>> get(const std::string& key) override {
    const auto found = all_.find(key);
    return found == all_.end() ? std::optional<config::Stored>() : std::optional(found->second);
  }
  Result<std::map<std::string, config::Stored>> list(const std::string& /*prefix*/) override {
    ++lists_;
    return all_;
  }
  Result<int64_t> update(const std::string& key, const Change& change) override {
    const auto current = get(key);
    const auto next = change(*current);
    if (!next) return next.error();
    if (*next) {
      all_[key] = {**next, ++revision_};
    } else {
      all_.erase(key);
    }
    return revision_;
  }
  Result<int64_t> put_for(const std::string& key, const std::string& value, int64_t /*ns*/) override {
    all_[key] = {value, ++revision_};
    return revision_;
  }
  std::string describe(const std::string& key) const override { return key; }

 private:
  std::map<std::string, config::Stored>& all_;
  std::atomic<int>& lists_;
  int64_t revision_ = 100;
};

class ApiTest : public ::testing::Test {
 protected:
  explicit ApiTest(ApiOptions options = {}, int64_t stuck_ns = 2 * kNanosPerSecond)
      : loop_(clock_), broadcaster_("run", 1 << 20) {
    options.access.token = "0123456789abcdef";
    if (options.history_path.empty()) options.history_path = "/nonexistent/history.db";
    if (options.alerts_path.empty()) options.alerts_path = alerts_folder_.path() + "/alerts.db";
    options.open_browser = []() -> Result<std::unique_ptr<metriclog::LogBrowser>> {
      return Error(Code::kUnavailable, "no log here");
    };
    options.config.open = [this]() -> Result<std::unique_ptr<config::ConfigStore>> {
      return std::unique_ptr<config::ConfigStore>(std::make_unique<MemoryStore>(documents_, lists_));
    };
    api_ = std::make_unique<Api>(loop_, options, state_, broadcaster_, registry_, plugins_);
    auto server = WebServer::start(
        loop_,
        {.max_bodies_bytes = 1'000'000,
         .max_replies_bytes = 1'000'000,
         .stuck_ns = stuck_ns,
         .ping_ns = 100 * kNanosPerMilli},
        broadcaster_, registry_,
        [this](const Request& request, const WebServer::Responder& responder) { api_->handle(request, responder); });
    EXPECT_TRUE(server);
    server_ = std::move(*server);
  }
  ~ApiTest() override {
    for (const int fd : sockets_) close(fd);
  }

  int connect_to() {
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(server_->port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0) throw std::runtime_error("no socket");
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    sockets_.push_back(fd);
    loop_.run_once(0);
    return fd;
  }
  // Reads until the text contains `until`, or the connection ends.
  std::string read_until(int fd, const std::string& until) {
    std::string got;
    const int64_t end = clock_.mono_ns() + 10 * kNanosPerSecond;
    while (clock_.mono_ns() < end && got.find(until) == std::string::npos) {
      loop_.run_once(5 * kNanosPerMilli);
      char buffer[4096];  // NOLINT(modernize-avoid-c-arrays)
      const ssize_t n = recv(fd, buffer, sizeof buffer, MSG_DONTWAIT);
      if (n > 0) got.append(buffer, static_cast<size_t>(n));
      if (n == 0) break;
    }
    return got;
  }
  std::string ask(const std::string& method, const std::string& target, const std::string& headers = "",
                  const std::string& body = "") {
    const int fd = connect_to();
    const std::string text = method + " " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + headers +
                             "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    EXPECT_EQ(send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
    return read_until(fd, "\x01");
  }
  static int status(const std::string& answer) { return answer.size() < 12 ? 0 : std::stoi(answer.substr(9, 3)); }
  static nlohmann::json json(const std::string& answer) {
    return nlohmann::json::parse(answer.substr(answer.find("\r\n\r\n") + 4), nullptr, false);
  }

  const SystemClock clock_;
  EventLoop loop_;
  EventBroadcaster broadcaster_;
  State state_;
  telemetry::Registry registry_;
  const NoPlugins plugins_;
  std::map<std::string, config::Stored> documents_;
  std::atomic<int> lists_ = 0;  // how often the configuration was listed
  const TemporaryFolder alerts_folder_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<WebServer> server_;
  std::vector<int> sockets_;
};

}  // namespace monitor::analysis::web
