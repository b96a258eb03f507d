// How the end of a host is told, with a program in the host's place that ends at once.
#include "agent/plugins/host_process.h"

#include <gtest/gtest.h>

namespace monitor::agent {
namespace {

struct Told final : HostLink::Listener {
  void on_message(const plugin_wire::MessageView&) override {}
  void on_end(const std::string& why, bool is_guilty) override {
    ++ends;
    reason = why;
    guilty = is_guilty;
    if (then) then();
  }
  int ends = 0;
  std::string reason;
  bool guilty = false;
  std::function<void()> then;
};

struct World {
  World() {
    auto made = HostProcess::start(loop, "/bin/false", "p");
    host = made ? *made : nullptr;
  }
  void until_gone() {
    while (!host->gone()) loop.run_once(-1);
  }
  SystemClock clock;
  EventLoop loop{clock};
  std::shared_ptr<HostProcess> host;
};

TEST(HostProcess, SaysHowItEnded) {
  World w;
  ASSERT_NE(w.host, nullptr);
  Told told;
  w.host->add(told);
  w.until_gone();
  EXPECT_EQ(told.ends, 1);
  EXPECT_EQ(told.reason, "it ended its process with status 1");
  EXPECT_TRUE(told.guilty) << "it was alone there";
  EXPECT_TRUE(w.host->ended());
}

// The answer to one plugin's end may bring another configuration into force, which the others are no part of.
TEST(HostProcess, WhoIsLetGoWhileTheEndIsToldIsNotTold) {
  World w;
  ASSERT_NE(w.host, nullptr);
  Told first;
  auto second = std::make_unique<Told>();
  Told third;
  w.host->add(first);
  const uint32_t instance = w.host->add(*second);
  w.host->add(third);
  first.then = [&] {
    w.host->remove(instance);
    second.reset();
  };
  w.until_gone();
  EXPECT_EQ(first.ends, 1);
  EXPECT_EQ(third.ends, 1);
  EXPECT_FALSE(first.guilty) << "nobody knows who did it";
}

TEST(HostProcess, AProgramThatIsNotThereIsSaid) {
  SystemClock clock;
  EventLoop loop(clock);
  const auto made = HostProcess::start(loop, "/no/such/program", "p");
  ASSERT_FALSE(made);
  EXPECT_NE(made.error().message().find("starting /no/such/program"), std::string::npos);
}

}  // namespace
}  // namespace monitor::agent
