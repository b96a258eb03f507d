#include "ui/web/event_broadcaster.h"

#include <gtest/gtest.h>

namespace monitor::analysis::web {
namespace {

TEST(EventBroadcaster, DeliversEventsByTopic) {
  EventBroadcaster broadcaster("run", 1 << 20);
  broadcaster.publish("fleet", "fleet", "{}");
  broadcaster.publish("agent:a", "tick", R"({"v":1})");
  broadcaster.publish("agent:b", "tick", R"({"v":2})");
  std::string out;
  const auto taken = broadcaster.take(0, {"agent:a", "log"}, 1000, out);
  EXPECT_EQ(out, "id: run.2\nevent: tick\ndata: {\"v\":1}\n\n");
  EXPECT_EQ(taken.place, 3U);
  out.clear();
  EXPECT_EQ(broadcaster.take(taken.place, {"agent:a"}, 1000, out).place, 3U);
  EXPECT_TRUE(out.empty());
}

TEST(EventBroadcaster, ResumesAfterAnEventOfTheSameRun) {
  EventBroadcaster broadcaster("run", 1 << 20);
  for (int i = 0; i < 5; ++i) broadcaster.publish("t", "n", std::to_string(i));
  EXPECT_EQ(broadcaster.number_of("run.3"), 3U);
  EXPECT_FALSE(broadcaster.number_of("other.3")) << "an id of another run";
  EXPECT_FALSE(broadcaster.number_of("run.99")) << "not yet";
  EXPECT_FALSE(broadcaster.number_of("run.x"));
  std::string out;
  broadcaster.take(3, {"t"}, 1000, out);
  EXPECT_EQ(out, "id: run.4\nevent: n\ndata: 3\n\nid: run.5\nevent: n\ndata: 4\n\n");
}

TEST(EventBroadcaster, ReportsLossToSlowReaders) {
  EventBroadcaster broadcaster("run", 2000);
  for (int i = 0; i < 1000; ++i) broadcaster.publish("t", "n", "0123456789");
  std::string out;
  const auto taken = broadcaster.take(1, {"t"}, 1000, out);
  EXPECT_TRUE(taken.lost);
  EXPECT_EQ(taken.place, 1000U);
  EXPECT_TRUE(out.empty());
  EXPECT_FALSE(broadcaster.take(taken.place, {"t"}, 1000, out).lost);
}

TEST(EventBroadcaster, BoundsTheBytesOfATake) {
  EventBroadcaster broadcaster("run", 1 << 20);
  for (int i = 0; i < 100; ++i) broadcaster.publish("t", "n", std::string(100, 'x'));
  std::string out;
  uint64_t place = 0;
  size_t events = 0;
  while (place < broadcaster.last()) {
    out.clear();
    place = broadcaster.take(place, {"t"}, 500, out).place;
    EXPECT_LT(out.size(), 700U);
    for (size_t at = out.find("data: "); at != std::string::npos; at = out.find("data: ", at + 1)) ++events;
  }
  EXPECT_EQ(events, 100U);
}

}  // namespace
}  // namespace monitor::analysis::web
