#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/event_loop.h"

namespace monitor {
namespace {

TEST(EventLoopTurnEndTest, RunsAtTheEndOfTheTurnWithoutWaiting) {
  SystemClock clock;
  EventLoop loop(clock);
  std::vector<std::string> order;
  loop.at_turn_end([&] {
    order.emplace_back("before the wait");
    loop.at_turn_end([&] { order.emplace_back("added by a callback"); });
  });
  loop.call_after(0, [&] {
    loop.at_turn_end([&] { order.emplace_back("end of turn"); });
    order.emplace_back("timer");
  });
  loop.run_once(-1);
  EXPECT_THAT(order, testing::ElementsAre("before the wait", "added by a callback", "timer", "end of turn"));
}

}  // namespace
}  // namespace monitor
