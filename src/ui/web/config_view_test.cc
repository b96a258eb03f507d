#include "ui/web/config_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr int64_t kNow = int64_t{1'700'000'000} * kNanosPerSecond;

AgentReport alive(int64_t since_ns, std::vector<std::string> problems = {}) {
  return {Presence::kAlive, std::move(problems), "host", "1.0.0", since_ns};
}

TEST(ConfigView, ShowsAnAliveAgentThatNeverReachedTheLog) {
  Fleet fleet;
  ConfigView view;
  view.agents["new"] = alive(kNow - kNanosPerSecond);
  view.agents["cut-off"] = alive(kNow - 60 * kNanosPerSecond);
  view.agents["gone"] = {.presence = Presence::kGone};
  show_in_fleet(view, kNow, fleet);
  ASSERT_EQ(fleet.agents().size(), 1U) << "a new agent's first batch may still be on its way";
  EXPECT_EQ(fleet.find("cut-off")->host, "host");
  EXPECT_THAT(agent_troubles(view, fleet),
              ElementsAre("agent cut-off: it is alive, but none of its data has ever reached the log"));
  ConfigView unreadable;
  unreadable.trouble = "etcd does not answer";
  show_in_fleet(unreadable, kNow, fleet);
  EXPECT_EQ(fleet.agents().size(), 1U);
  view.agents["cut-off"].presence = Presence::kGone;
  show_in_fleet(view, kNow, fleet);
  EXPECT_THAT(fleet.agents(), IsEmpty());
}

TEST(ConfigView, RemovesAnAgentThatIsNoLongerKnown) {
  Fleet fleet;
  fleet.add_known("unheard", "", "", 0);
  fleet.add_known("heard", "", "", kNow);
  fleet.add_known("forgotten", "", "", kNow);
  ConfigView view;
  view.forgotten["forgotten"] = kNow;
  show_in_fleet(view, kNow, fleet);
  ASSERT_EQ(fleet.agents().size(), 1U);
  EXPECT_NE(fleet.find("heard"), nullptr);
}

TEST(ConfigView, BoundsTheNumberOfProblems) {
  const Fleet fleet;
  ConfigView view;
  view.agents["a"] = alive(kNow, {"configuration refused: interval", "plugin p is quarantined"});
  EXPECT_THAT(agent_troubles(view, fleet),
              ElementsAre("agent a: configuration refused: interval", "agent a: plugin p is quarantined"));
  for (int i = 0; i < 100; ++i) view.agents["b" + std::to_string(i)] = alive(kNow, {"wrong"});
  const auto troubles = agent_troubles(view, fleet);
  ASSERT_EQ(troubles.size(), 21U);
  EXPECT_EQ(troubles.back(), "agents: 82 more problems");
}

}  // namespace
}  // namespace monitor::analysis::web
