// The health socket: real sockets in a temporary folder, and the loop of the agent where it must answer.
#include "agent/health.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <future>
#include <string>
#include <vector>

namespace monitor::agent {
namespace {

constexpr int64_t kLong = 30 * kNanosPerSecond;
constexpr int64_t kShort = 50 * kNanosPerMilli;

sockaddr_un address_of(const std::string& folder) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = folder + "/health.sock";
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

Fd unix_socket() { return Fd(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)); }

class HealthTest : public ::testing::Test {
 protected:
  HealthTest() {
    std::string pattern = "/tmp/monitor-health-XXXXXX";
    top_ = mkdtemp(pattern.data());
    folder_ = top_;
  }
  ~HealthTest() override { std::filesystem::remove_all(top_); }

  std::unique_ptr<HealthSocket> open() {
    auto opened = HealthSocket::open(loop_, folder_, [this] { return health_; });
    EXPECT_TRUE(opened) << (opened ? "" : opened.error().message());
    return opened ? std::move(*opened) : nullptr;
  }

  // Asks from another thread, while the loop runs here.
  Result<Health> ask() {
    auto answer = std::async(std::launch::async, [this] {
      auto result = ask_health(folder_, kLong);
      loop_.stop();
      return result;
    });
    loop_.run();
    return answer.get();
  }

  Fd client() const {
    Fd fd = unix_socket();
    const sockaddr_un address = address_of(folder_);
    EXPECT_EQ(connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    return fd;
  }

  std::string top_;
  std::string folder_;
  SystemClock clock_;
  EventLoop loop_{clock_};
  Health health_{true, "agent m1: delivering"};
};

TEST_F(HealthTest, SaysWhatTheAgentSays) {
  const auto socket = open();
  for (const bool ready : {true, false}) {
    health_ = {ready, ready ? "agent m1: delivering" : "agent m1: not delivering: connection refused"};
    const auto answer = ask();
    ASSERT_TRUE(answer) << answer.error().message();
    EXPECT_EQ(answer->ready, ready);
    EXPECT_EQ(answer->status, health_.status);
  }
}

TEST_F(HealthTest, StaysOneLineOfLimitedLength) {
  const auto socket = open();
  health_.status = "one\ntwo " + std::string(100'000, 'x');
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_EQ(answer->status.size(), 2000U);
  EXPECT_TRUE(answer->status.starts_with("one two x"));
}

TEST_F(HealthTest, OnlyTheOwnerMayConnect) {
  const auto socket = open();
  struct stat info{};
  ASSERT_EQ(stat((folder_ + "/health.sock").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0600U);
}

TEST_F(HealthTest, WorksInAFolderWithALongPath) {
  folder_ += "/" + std::string(120, 'a') + "/" + std::string(128, 'b');
  std::filesystem::create_directories(folder_);
  const auto socket = open();
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message();
  EXPECT_TRUE(answer->ready);
}

TEST_F(HealthTest, ClientsThatSayAndTakeNothingDoNotHoldItUp) {
  const auto socket = open();
  std::vector<Fd> idle;
  for (int i = 0; i < 10; ++i) idle.push_back(client());
  const auto answer = ask();
  ASSERT_TRUE(answer) << answer.error().message();
  idle.clear();
  EXPECT_TRUE(ask());
}

TEST_F(HealthTest, ALoopThatHangsDoesNotAnswer) {
  const auto socket = open();  // nobody runs the loop
  const auto answer = ask_health(folder_, kShort);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kDeadlineExceeded);
  EXPECT_THAT(answer.error().message(), ::testing::HasSubstr("does not answer"));
}

TEST_F(HealthTest, AFullQueueOfClientsEndsByTheTimeLimit) {
  const auto socket = open();
  std::vector<Fd> waiting;
  for (int i = 0; i < 17; ++i) waiting.push_back(client());  // one more than listen() was told
  const auto answer = ask_health(folder_, kShort);
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Code::kDeadlineExceeded);
}

TEST_F(HealthTest, NoAgentIsToldFromAnAgentThatHangs) {
  EXPECT_EQ(ask_health(folder_, kShort).error().code(), Code::kNotFound);
  open().reset();
  EXPECT_FALSE(std::filesystem::exists(folder_ + "/health.sock")) << "an orderly stop removes it";
  EXPECT_EQ(ask_health(folder_, kShort).error().code(), Code::kNotFound);
  EXPECT_EQ(ask_health(folder_ + "/none", kShort).error().code(), Code::kNotFound);
}

TEST_F(HealthTest, ReplacesTheSocketOfARunThatWasKilled) {
  {
    const Fd killed = unix_socket();
    const sockaddr_un address = address_of(folder_);
    ASSERT_EQ(bind(killed.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  }
  EXPECT_EQ(ask_health(folder_, kShort).error().code(), Code::kNotFound) << "nobody listens";
  const auto socket = open();
  EXPECT_TRUE(ask());
}

TEST_F(HealthTest, AFolderWithoutRightsIsAnError) {
  const auto opened = HealthSocket::open(loop_, "/proc/self", [this] { return health_; });
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().message(), ::testing::HasSubstr("/proc/self/health.sock"));
}

TEST_F(HealthTest, AnAnswerThatIsNoAgentsIsRefused) {
  const std::vector<std::string> texts = {"", "ready", "reedy\nx\n", "not ready", std::string(9000, 'x')};
  for (const std::string& text : texts) {
    const Fd fake = unix_socket();
    const sockaddr_un address = address_of(folder_);
    ASSERT_EQ(bind(fake.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
    ASSERT_EQ(listen(fake.get(), 1), 0);
    auto answer = std::async(std::launch::async, [this] { return ask_health(folder_, kLong); });
    {
      const Fd one(accept(fake.get(), nullptr, nullptr));
      (void)!send(one.get(), text.data(), text.size(), MSG_NOSIGNAL);
    }
    const auto result = answer.get();
    ASSERT_FALSE(result) << text;
    EXPECT_EQ(result.error().code(), Code::kDataLoss) << text;
    unlink((folder_ + "/health.sock").c_str());
  }
}

}  // namespace
}  // namespace monitor::agent
