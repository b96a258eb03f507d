// The messages to the service manager, on a real socket in a temporary folder.
#include "base/service_notifier.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "base/testing/fake_clock.h"

namespace monitor {
namespace {

constexpr int64_t kSecond = kNanosPerSecond;

// A service manager: receives the messages.
class Manager {
 public:
  explicit Manager(const std::string& name) : fd_(socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name.front() == '@') address.sun_path[0] = '\0';
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(bind(fd_.get(), reinterpret_cast<const sockaddr*>(&address), length), 0) << name;
  }

  std::vector<std::string> received() const {
    std::vector<std::string> messages;
    std::array<char, 4096> buffer{};
    while (true) {
      const ssize_t n = recv(fd_.get(), buffer.data(), buffer.size(), 0);
      if (n < 0) return messages;
      messages.emplace_back(buffer.data(), static_cast<size_t>(n));
    }
  }

 private:
  Fd fd_;
};

class ServiceNotifierTest : public ::testing::Test {
 protected:
  ServiceNotifierTest() {
    std::string pattern = "/tmp/monitor-notify-XXXXXX";
    folder_ = mkdtemp(pattern.data());
    path_ = folder_ + "/notify";
  }
  ~ServiceNotifierTest() override {
    unlink(path_.c_str());
    rmdir(folder_.c_str());
  }

  std::string folder_;
  std::string path_;
  FakeTimers timers_;
};

using Messages = std::vector<std::string>;

TEST_F(ServiceNotifierTest, ReportsReadyAndStopping) {
  const Manager manager(path_);
  ServiceNotifier notifier(timers_, {path_, "", ""});
  EXPECT_EQ(manager.received(), Messages{});
  notifier.ready();
  notifier.stopping();
  EXPECT_EQ(manager.received(), (Messages{"READY=1", "STOPPING=1"}));
  EXPECT_TRUE(timers_.idle()) << "without WATCHDOG_USEC there are no keep-alives";
}

TEST_F(ServiceNotifierTest, WritesToAbstractSockets) {
  const std::string name = "@monitor-notify-test-" + std::to_string(getpid());
  const Manager manager(name);
  ServiceNotifier notifier(timers_, {name, "", ""});
  notifier.ready();
  EXPECT_EQ(manager.received(), Messages{"READY=1"});
}

TEST_F(ServiceNotifierTest, SendsTwoKeepAlivesInEachPeriod) {
  const Manager manager(path_);
  ServiceNotifier notifier(timers_, {path_, "10000000", std::to_string(getpid())});
  timers_.advance(20 * kSecond);
  EXPECT_EQ(manager.received(), Messages{}) << "none before ready()";
  notifier.ready();
  EXPECT_EQ(manager.received(), (Messages{"READY=1", "WATCHDOG=1"}));
  timers_.advance(5 * kSecond - 1);
  EXPECT_EQ(manager.received(), Messages{});
  timers_.advance(1);
  EXPECT_EQ(manager.received(), Messages{"WATCHDOG=1"});
  notifier.stopping();
  timers_.advance(10 * kSecond);
  EXPECT_EQ(manager.received(), (Messages{"STOPPING=1", "WATCHDOG=1", "WATCHDOG=1"}));
}

TEST_F(ServiceNotifierTest, SendsNoKeepAliveUntilTheProbeAnswers) {
  const Manager manager(path_);
  std::function<void()> alive;
  ServiceNotifier notifier(timers_, {path_, "10000000", ""});
  notifier.set_probe([&](std::function<void()> answer) { alive = std::move(answer); });
  notifier.ready();
  timers_.advance(30 * kSecond);
  EXPECT_EQ(manager.received(), Messages{"READY=1"});
  alive();
  EXPECT_EQ(manager.received(), Messages{"WATCHDOG=1"});
}

TEST_F(ServiceNotifierTest, LeavesTheKeepAlivesToTheNamedProcess) {
  const Manager manager(path_);
  ServiceNotifier notifier(timers_, {path_, "10000000", "7"}, 8);
  notifier.ready();
  EXPECT_EQ(manager.received(), Messages{"READY=1"});
  EXPECT_TRUE(timers_.idle());
}

TEST_F(ServiceNotifierTest, IgnoresAnInvalidWatchdogTime) {
  const Manager manager(path_);
  for (const char* usec : {"0", "-1", "soon", "99999999999999999999999"}) {
    ServiceNotifier notifier(timers_, {path_, usec, ""});
    notifier.ready();
    EXPECT_EQ(manager.received(), Messages{"READY=1"}) << usec;
    EXPECT_TRUE(timers_.idle()) << usec;
  }
  // The largest time must not overflow.
  ServiceNotifier notifier(timers_, {path_, "18446744073709551615", ""});
  notifier.ready();
  EXPECT_EQ(manager.received(), (Messages{"READY=1", "WATCHDOG=1"}));
  timers_.advance(3600 * kSecond);
  EXPECT_EQ(manager.received(), Messages{});
}

TEST_F(ServiceNotifierTest, SendsAStatusWhenItChanges) {
  const Manager manager(path_);
  std::string status = "waiting for\nthe server";
  ServiceNotifier notifier(timers_, {path_, "2000000", ""});
  notifier.set_status([&] { return status; });
  notifier.ready();
  EXPECT_EQ(manager.received(), (Messages{"READY=1\nSTATUS=waiting for the server", "WATCHDOG=1"}));
  timers_.advance(kSecond);
  EXPECT_EQ(manager.received(), Messages{"WATCHDOG=1"});
  status = "connected";
  timers_.advance(kSecond);
  EXPECT_EQ(manager.received(), Messages{"WATCHDOG=1\nSTATUS=connected"});
}

TEST_F(ServiceNotifierTest, DoesNothingWithoutAServiceManager) {
  ServiceNotifier notifier(timers_, {"", "10000000", ""});
  notifier.ready();
  notifier.stopping();
  EXPECT_TRUE(timers_.idle());
}

TEST_F(ServiceNotifierTest, SurvivesAManagerThatIsGoneOrAnAddressThatIsNone) {
  for (const std::string& socket : {path_, std::string("notify"), "/" + std::string(200, 'x')}) {
    ServiceNotifier notifier(timers_, {socket, "10000000", ""});
    notifier.ready();
    notifier.stopping();
  }
}

// A manager that reads nothing must not block the program.
TEST_F(ServiceNotifierTest, NeverWaitsForTheManager) {
  const Manager manager(path_);
  ServiceNotifier notifier(timers_, {path_, "", ""});
  for (int i = 0; i < 100'000; ++i) notifier.stopping();
  EXPECT_FALSE(manager.received().empty());
}

TEST_F(ServiceNotifierTest, StopsItsTimerWhenItIsDestroyed) {
  const Manager manager(path_);
  {
    ServiceNotifier notifier(timers_, {path_, "10000000", ""});
    notifier.ready();
    EXPECT_FALSE(timers_.idle());
  }
  EXPECT_TRUE(timers_.idle());
}

}  // namespace
}  // namespace monitor
